from pathlib import Path

import pytest

from annotator.errors import AnnotatorFailed
from annotator.records import read
from annotator.split import split
from tests.unit.annotator.samples import HEAD, row

SKIP = '##INFO=<ID=GAS_SKIP,Number=1,Type=String,Description="why">\n'
DECLARED = f'{SKIP}##contig=<ID=MT>\n##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">\n'
FLAGGED = "MT\t002\t\tA\t\t30.00\t.\tDP=007;GAS_SKIP=malformed\n"
NAMED = "MT\t1\tGAS_SKIP=no\tG\tA\t3\t.\tDP=1\n"


def made(folder: Path, *rows: str, tag: str = "BCSQ", head: str = HEAD) -> list[str]:
    """Return the lines that a shard becomes before anything is found of it."""
    shard, alleles = folder / "shard.vcf", folder / "alleles.vcf"
    shard.write_text(head.replace("#CHROM", DECLARED + "#CHROM") + "".join(rows))
    split(shard, alleles)
    parts = [records.columns for records in read(shard, alleles, tag)]
    rows_of = (zip(*(column.to_pylist() for column in columns), strict=True) for columns in parts)
    return [b"\t".join(cells).decode() + "\n" for cells_of in rows_of for cells in cells_of]


def test_records_of_one_allele_keep_their_text(tmp_path: Path) -> None:
    rows = [NAMED, row("MT", 3, "A", "C", "DP=0010").replace("\t.\t.\t", "\t1e2\t.\t")]
    assert made(tmp_path, *rows) == rows


@pytest.mark.parametrize("depth", ["99999999999", "1e3", "many", "3,4"])
def test_what_a_field_cannot_hold_is_not_lost(tmp_path: Path, depth: str) -> None:
    rows = [row("MT", 3, "A", "C", f"DP={depth}")]
    assert made(tmp_path, *rows) == rows


def test_flagged_records_keep_theirs_but_for_zeros_before_the_position(tmp_path: Path) -> None:
    symbolic = row("MT", 3, "A", "C,<DEL>", "DP=01;GAS_SKIP=symbolic")
    rows = [NAMED, FLAGGED, symbolic]
    assert made(tmp_path, *rows) == [NAMED, FLAGGED.replace("002", "2"), symbolic]


def test_alleles_stand_where_their_record_stood(tmp_path: Path) -> None:
    rows = [row("MT", 3, "A", "C"), row("MT", 3, "A", "G,T"), row("MT", 3, "A", "AC")]
    found = [line.split("\t")[4:8] for line in made(tmp_path, *rows)]
    assert [cells[0] for cells in found] == ["C", "G", "T", "AC"]
    assert [cells[3].strip() for cells in found] == [
        ".",
        "ORIG=MT|3|A|G,T|1",
        "ORIG=MT|3|A|G,T|2",
        ".",
    ]


def test_empty_cells_and_a_last_semicolon_become_fit_for_more(tmp_path: Path) -> None:
    rows = ["MT\t1\t\tG\tA\t.\t.\t\n", row("MT", 3, "A", "C", "DP=3;")]
    assert made(tmp_path, *rows) == [row("MT", 1, "G", "A"), row("MT", 3, "A", "C", "DP=3")]


def test_a_field_of_the_engines_name_goes_but_from_flagged_records(tmp_path: Path) -> None:
    head = HEAD.replace("#CHROM", '##INFO=<ID=CSQ,Number=.,Type=String,Description="x">\n#CHROM')
    infos = ["CSQ=a|b;DP=3", "CSQ=a", "DP=3;CSQ=x;GAS_SKIP=star"]
    rows = [row("MT", 3, "A", "C", info) for info in infos]
    found = [line.split("\t")[7].strip() for line in made(tmp_path, *rows, tag="CSQ", head=head)]
    assert found == ["DP=3", ".", infos[2]]


@pytest.mark.parametrize(("alts", "at"), [("C,", 1), (",C", 0), ("C,.,G", 1)])
def test_nothing_between_commas_is_flagged_and_not_taken_for_the_reference(
    tmp_path: Path, alts: str, at: int
) -> None:
    lines = made(
        tmp_path, row("MT", 3, "A", alts), row("MT", 4, "T", "."), row("MT", 5, "C", "G,T")
    )
    flags = [line.rstrip().endswith(";GAS_SKIP=malformed") for line in lines]
    assert [number for number, flag in enumerate(flags) if flag] == [at]


def test_another_split_is_our_failure(tmp_path: Path) -> None:
    shard, alleles = tmp_path / "shard.vcf", tmp_path / "alleles.vcf"
    head = HEAD.replace("#CHROM", DECLARED + "#CHROM")
    shard.write_text(head + row("MT", 3, "A", "G,T"))
    split(shard, alleles)
    for wrong in (row("MT", 3, "A", "G"), row("MT", 3, "A", "G,T").replace("\t3\t", "\t4\t")):
        shard.write_text(head + wrong)
        with pytest.raises(AnnotatorFailed, match="split"):
            list(read(shard, alleles, "BCSQ"))
