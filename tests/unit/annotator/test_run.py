import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pysam
import pytest

from annotator.bundles import DEMO
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.run import RESULTS, annotate, partial_folder
from tests.unit.annotator.samples import COLUMNS, HEAD, row, write

MISSENSE = row("chr16", 190560, "T", "C")
MT_CO1_START, MT_CO1_END = 5904, 7445
OTHER = {"A": "G", "G": "A", "C": "T", "T": "C"}


def results(source: Path) -> Path:
    outdir = source.parent / "out"
    annotate(source, outdir, DEMO)
    return outdir


def summary(outdir: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((outdir / "summary.json").read_text())
    return content


def records(outdir: Path) -> list[list[str]]:
    text = gzip.decompress((outdir / "annotated.vcf.gz").read_bytes()).decode()
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def infos(outdir: Path) -> list[dict[str, str]]:
    return [
        {key: value for key, _, value in (item.partition("=") for item in record[7].split(";"))}
        for record in records(outdir)
    ]


def test_a_missense_variant_is_found_without_any_contig_line(tmp_path: Path) -> None:
    (info,) = infos(results(write(tmp_path, MISSENSE)))
    assert info["GAS_CSQ"] == "missense_variant"
    assert info["GAS_IMPACT"] == "MODERATE"
    assert (info["GAS_GENE"], info["GAS_TX"]) == ("LUC7L", "NM_201412")
    assert info["BCSQ"].startswith("missense|LUC7L|NM_201412|protein_coding|-|263R>263G|")


@pytest.mark.parametrize("name", ["16", "chr16", "NC_000016.10"])
def test_every_name_of_a_contig_gives_the_same_and_is_kept(tmp_path: Path, name: str) -> None:
    outdir = results(write(tmp_path, MISSENSE.replace("chr16", name)))
    assert records(outdir)[0][0] == name
    assert infos(outdir)[0]["GAS_CSQ"] == "missense_variant"


def test_the_mitochondrion_has_its_own_genetic_code(tmp_path: Path) -> None:
    bases = pysam.FastaFile(str(DEMO / "genome.fa.gz")).fetch("MT")
    start = next(at for at in range(MT_CO1_START, MT_CO1_END, 3) if bases[at - 1 : at + 2] == "TGA")
    (info,) = infos(results(write(tmp_path, row("chrM", start + 2, "A", "G"))))
    # TGA and TGG are both tryptophan here; in the nucleus TGA would be a stop.
    assert info["GAS_CSQ"] == "synonymous_variant"


def test_a_record_of_many_alleles_is_split_and_remembers(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, row("chr16", 190560, "T", "C,G,<DEL>")))
    assert [record[4] for record in records(outdir)] == ["C", "G", "<DEL>"]
    assert [info["ORIG"] for info in infos(outdir)] == [
        f"chr16|190560|T|C,G,<DEL>|{at}" for at in (1, 2, 3)
    ]
    assert infos(outdir)[2]["GAS_SKIP"] == "symbolic"
    assert "GAS_SKIP" not in infos(outdir)[0]


def test_a_flagged_record_stays_whole_and_unannotated(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, row("chr16", 190560, "T", "<DEL>,*", "END=190600")))
    (record,) = records(outdir)
    assert record[4] == "<DEL>,*"
    assert record[7] == "END=190600;GAS_SKIP=symbolic"


def test_a_record_between_genes_says_so(tmp_path: Path) -> None:
    (record,) = records(results(write(tmp_path, row("MT", 1, "G", "A"))))
    assert record[7] == "GAS_CSQ=intergenic_variant;GAS_IMPACT=MODIFIER"


def test_an_allele_that_is_its_own_reference_is_malformed(tmp_path: Path) -> None:
    (record,) = records(results(write(tmp_path, row("chr16", 190560, "T", "T"))))
    assert record[7] == "GAS_SKIP=malformed"


def test_counts_add_up(tmp_path: Path) -> None:
    rows = [
        row("chr16", 190560, "T", "C,G"),
        row("chr16", 190561, "N", "R"),
        row("chr16", 190562, "T", "<DEL>"),
        row("chrM", 1, "G", "."),
        row("chrM", 2, "A", "C"),
        row("chrUn", 5, "A", "C"),
    ]
    counts = summary(results(write(tmp_path, *rows)))
    assert counts["records_in"] == len(rows)
    assert counts["alleles"] == counts["annotated"] + sum(counts["flagged"].values()) == 6
    assert counts["records_out"] == counts["alleles"] + counts["reference"] == 7
    assert counts["reference"] == 1
    assert sum(counts["classes"].values()) == counts["alleles"]
    assert sum(counts["impacts"].values()) == sum(counts["consequences"].values()) == 3


def test_the_preview_shows_the_first_five_alleles_that_have_a_gene(tmp_path: Path) -> None:
    bases = pysam.FastaFile(str(DEMO / "genome.fa.gz")).fetch("MT", 3399, 3409)
    rows = [row("MT", 3400 + at, base, OTHER[base]) for at, base in enumerate(bases)]
    first = summary(results(write(tmp_path, row("MT", 1, "G", "A"), *rows)))["preview"]
    assert [shown["pos"] for shown in first] == [3400, 3401, 3402, 3403, 3404]
    assert set(first[0]) == {
        "contig",
        "pos",
        "ref",
        "alt",
        "gene",
        "consequence",
        "amino_acid_change",
    }


def test_unsorted_records_come_out_sorted(tmp_path: Path) -> None:
    rows = [row("chrM", 2, "A", "C"), MISSENSE, row("chrM", 1, "G", "A")]
    outdir = results(write(tmp_path, *rows))
    assert [record[:2] for record in records(outdir)] == [
        ["chr16", "190560"],
        ["chrM", "1"],
        ["chrM", "2"],
    ]
    assert json.loads((outdir / "provenance.json").read_text())["sorted"] is True


@pytest.mark.parametrize("verbosity", [0, 3])
def test_names_that_the_header_forgot_are_declared(tmp_path: Path, verbosity: int) -> None:
    before = pysam.set_verbosity(verbosity)
    head = HEAD.replace("INFO\n", "INFO\tFORMAT\tS\n")
    record = "chr16\t190560\t.\tT\tC\t9\tq10\tDP=3;DB\tGT:XX\t0/1:7\n"
    try:
        outdir = results(write(tmp_path, record, head=head))
    finally:
        pysam.set_verbosity(before)
    assert records(outdir)[0][6:] == ["q10", records(outdir)[0][7], "GT:XX", "0/1:7"]
    assert infos(outdir)[0]["DP"] == "3"
    with pysam.VariantFile(str(outdir / "annotated.vcf.gz")) as vcf:
        assert {"GT", "XX"} <= {*vcf.header.formats}


def test_our_own_output_can_be_annotated_again(tmp_path: Path) -> None:
    first = results(write(tmp_path, MISSENSE, row("chr16", 190562, "T", "<DEL>")))
    annotate(first / "annotated.vcf.gz", tmp_path / "again", DEMO)
    assert records(tmp_path / "again") == records(first)


def test_a_second_run_gives_the_same_bytes(tmp_path: Path) -> None:
    source = write(tmp_path, MISSENSE, row("chrM", 1, "G", "A"))
    annotate(source, tmp_path / "one", DEMO)
    annotate(source, tmp_path / "two", DEMO)
    for name in ("annotated.vcf.gz", "annotated.vcf.gz.tbi", "summary.json", "annotation.log"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_index_finds_the_records(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, MISSENSE, row("chrM", 1, "G", "A")))
    with pysam.TabixFile(str(outdir / "annotated.vcf.gz")) as file:
        assert len(list(file.fetch("chr16", 190559, 190560))) == 1
        assert len(list(file.fetch("chrM"))) == 1


def test_provenance_names_what_went_in_and_what_came_out(tmp_path: Path) -> None:
    source = write(tmp_path, MISSENSE)
    outdir = results(source)
    told = json.loads((outdir / "provenance.json").read_text())
    assert told["input"] == {
        "format": "vcf",
        "bytes": source.stat().st_size,
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
    }
    for name, output in told["outputs"].items():
        assert output["sha256"] == hashlib.sha256((outdir / name).read_bytes()).hexdigest()
    assert set(told["outputs"]) | {"provenance.json"} == set(RESULTS)
    assert told["bundle"]["id"] == "demo-grch38"
    assert str(tmp_path) not in (outdir / "provenance.json").read_text()


def test_a_file_without_records_is_a_result_without_rows(tmp_path: Path) -> None:
    outdir = results(write(tmp_path))
    assert summary(outdir)["records_out"] == 0
    assert COLUMNS in gzip.decompress((outdir / "annotated.vcf.gz").read_bytes()).decode()


def test_a_refusal_leaves_nothing(tmp_path: Path) -> None:
    source = write(tmp_path, row("chr16", 190560, "T", "C"), "chr16\tx\t.\tT\tC\t.\t.\t.\n")
    with pytest.raises(InputRefused, match=r"^line 4: POS 'x' is not a number\.$"):
        annotate(source, tmp_path / "out", DEMO)
    assert list(tmp_path.iterdir()) == [source]


def test_what_a_killed_run_left_does_not_hinder_the_next(tmp_path: Path) -> None:
    source = write(tmp_path, MISSENSE)
    left = partial_folder(tmp_path / "out") / "work"
    left.mkdir(parents=True)
    (left.parent / "annotated.vcf.gz").write_text("half")
    assert {path.name for path in results(source).iterdir()} == set(RESULTS)
    assert not left.parent.exists()


def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    source = write(tmp_path, MISSENSE)
    with pytest.raises(AnnotatorFailed, match="not empty"):
        annotate(source, tmp_path, DEMO)
    assert list(tmp_path.iterdir()) == [source]


def test_a_field_of_the_wrong_length_is_refused_with_its_place(tmp_path: Path) -> None:
    declared = '##INFO=<ID=XA,Number=A,Type=Integer,Description="x">\n#CHROM'
    source = write(
        tmp_path, row("MT", 1, "G", "A,C", "XA=1"), head=HEAD.replace("#CHROM", declared)
    )
    with pytest.raises(InputRefused, match=r"^line 4: .*INFO/XA, expected 2, found 1\.$"):
        annotate(source, tmp_path / "out", DEMO)
