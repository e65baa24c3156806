import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest

from annotator.bundles import DEMO, MANIFEST, load
from annotator.checksums import digest
from annotator.run import annotate
from annotator.sources import merged, movable
from tests.unit.annotator.samples import row, write
from tests.unit.annotator.test_run import infos, records, summary

HEAD = """##fileformat=VCFv4.2
##INFO=<ID=AF,Number=A,Type=Float,Description="frequency">
##INFO=<ID=SIG,Number=.,Type=String,Description="significance">
##INFO=<ID=REV,Number=.,Type=String,Description="review status">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
"""
KNOWN = (
    "16\t190560\trs1\tT\tC\t.\t.\tAF=0.25\n16\t190562\trs2\tG\t<DEL>\t.\t.\tAF=0.5\n"
    "MT\t1\trs3\tG\tA\t.\t.\tAF=0.125\n"
)
REVIEW = "criteria_provided,_single_submitter"
CLASSED = (
    f"16\t190560\t77\tT\tC\t.\t.\tSIG=Pathogenic/Likely_pathogenic;REV={REVIEW}\n"
    "MT\t3\t78\tT\tC\t.\t.\t.\n"
)
MISSENSE = row("chr16", 190560, "T", "C")


def with_sources(folder: Path) -> Path:
    """Return a copy of the demo bundle that has two sources."""
    bundle = Path(shutil.copytree(DEMO, folder / "bundle"))
    content = json.loads((bundle / MANIFEST).read_text())
    columns = {
        "dbsnp": {"GAS_KNOWN": "ID", "GAS_AF": "INFO/AF"},
        "clinvar": {
            "GAS_CLNID": "ID",
            "GAS_CLNSIG": "INFO/SIG",
            "GAS_CLNREVSTAT": "INFO/REV",
        },
    }
    content["sources"] = []
    for (name, columns_of_it), rows in zip(columns.items(), (KNOWN, CLASSED), strict=True):
        path = f"{name}.vcf.gz"
        (bundle / "plain.vcf").write_text(HEAD + rows)
        pysam.tabix_compress(str(bundle / "plain.vcf"), str(bundle / path))
        pysam.tabix_index(str(bundle / path), preset="vcf")
        (bundle / "plain.vcf").unlink()
        for file in (path, f"{path}.tbi"):
            size = (bundle / file).stat().st_size
            content["files"][file] = {"bytes": size, "sha256": digest(bundle / file)}
        entry = {"name": name, "release": "7", "path": path, "columns": columns_of_it}
        content["sources"].append(entry)
    (bundle / MANIFEST).write_text(json.dumps(content))
    return bundle


def results(source: Path) -> Path:
    outdir = source.parent / "out"
    annotate(source, outdir, with_sources(source.parent))
    return outdir


@pytest.mark.parametrize("name", ["16", "chr16", "NC_000016.10"])
def test_a_known_allele_gets_the_columns_of_every_source(tmp_path: Path, name: str) -> None:
    outdir = results(write(tmp_path, MISSENSE.replace("chr16", name)))
    (info,) = infos(outdir)
    assert (info["GAS_KNOWN"], info["GAS_AF"]) == ("rs1", "0.25")
    assert (info["GAS_CLNID"], info["GAS_CLNSIG"]) == ("77", "Pathogenic/Likely_pathogenic")
    assert info["GAS_CSQ"] == "missense_variant"
    assert records(outdir)[0][0] == name
    assert records(outdir)[0][2] == "."


def test_a_contig_named_in_two_ways_is_looked_up_under_both(tmp_path: Path) -> None:
    ref = bases(190559, 190561)
    longer = row("chr16", 190559, ref, ref[0] + "C" + ref[2])
    names = ("16", "chr16", "NC_000016.10")
    rows = [one.replace("chr16", name) for name in names for one in (longer, MISSENSE)]
    outdir = results(write(tmp_path, *rows))
    assert [info["GAS_KNOWN"] for info in infos(outdir)] == ["rs1"] * 6
    assert [record[0] for record in records(outdir)[::2]] == ["16", "chr16", "NC_000016.10"]


def test_every_record_of_a_repeated_allele_is_known(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, MISSENSE, MISSENSE, row("chr16", 190560, "T", "C,G")))
    found = [info.get("GAS_KNOWN") for info in infos(outdir)]
    assert sorted(found, key=str) == [None, "rs1", "rs1", "rs1"]
    assert (summary(outdir)["known"], summary(outdir)["novel"]) == (3, 1)


def test_an_allele_written_longer_is_known_and_stays_as_it_came(tmp_path: Path) -> None:
    ref = bases(190559, 190561)
    longer = row("chr16", 190559, ref, ref[0] + "C" + ref[2])
    outdir = results(write(tmp_path, longer, MISSENSE))
    assert [info["GAS_AF"] for info in infos(outdir)] == ["0.25", "0.25"]
    assert records(outdir)[0][1:5] == ["190559", ".", ref, ref[0] + "C" + ref[2]]


def bases(first: int, last: int) -> str:
    with pysam.FastaFile(str(DEMO / "genome.fa.gz")) as fasta:
        return str(fasta.fetch("16", first - 1, last)).upper()


def test_the_tables_tell_what_the_sources_say_in_columns_of_their_own(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, MISSENSE, row("chrM", 2, "A", "C")))
    known, *_, novel = pq.read_table(outdir / "annotated.parquet").to_pylist()
    told = ("known_id", "allele_frequency", "clinvar_significance", "clinvar_review")
    said = ("rs1", 0.25, "Pathogenic/Likely_pathogenic", REVIEW)
    assert tuple(known[name] for name in told) == said
    assert tuple(novel[name] for name in told) == (None, None, None, None)
    names, first, *_, last = (
        line.split("\t")
        for line in gzip.decompress((outdir / "annotated.tsv.gz").read_bytes())
        .decode()
        .splitlines()
    )
    places = [names.index(name) for name in told]
    assert tuple(first[at] for at in places) == tuple(map(str, said))
    assert {last[at] for at in places} == {"."}


def test_another_allele_at_a_known_place_is_novel(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, row("chr16", 190560, "T", "C,G")))
    first, second = infos(outdir)
    assert first["GAS_KNOWN"] == "rs1"
    assert "GAS_KNOWN" not in second
    assert (summary(outdir)["known"], summary(outdir)["novel"]) == (1, 1)


def test_the_summary_counts_known_alleles_once_and_classes_of_clinvar(tmp_path: Path) -> None:
    rows = [MISSENSE, row("chrM", 1, "G", "A"), row("chrM", 2, "A", "C"), row("chrM", 3, "T", "C")]
    outdir = results(write(tmp_path, *rows))
    counts = summary(outdir)
    assert (counts["known"], counts["novel"]) == (3, 1)
    assert counts["clinvar"] == {"Pathogenic/Likely_pathogenic": 1}
    log = (outdir / "annotation.log").read_text()
    assert "Known variants\n  known" in log
    assert "Pathogenic/Likely_pathogenic" in log


def test_a_flagged_record_gets_nothing_from_a_source(tmp_path: Path) -> None:
    rows = [row("chr16", 190562, "G", alts) for alts in ("<DEL>", "A,<DEL>")]
    outdir = results(write(tmp_path, *rows))
    assert records(outdir)[0][7] == "GAS_SKIP=symbolic"
    assert not any("GAS_KNOWN" in info for info in infos(outdir))
    assert (summary(outdir)["known"], summary(outdir)["annotated"]) == (0, 1)


def test_an_upload_cannot_bring_its_own_columns(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, row("chrM", 2, "A", "C", "GAS_KNOWN=rs9;DP=3;GAS_CLNSIG=x")))
    (info,) = infos(outdir)
    assert info["DP"] == "3"
    assert not {"GAS_KNOWN", "GAS_CLNSIG"} & set(info)


def test_the_result_can_be_annotated_again_and_is_the_same(tmp_path: Path) -> None:
    first = results(write(tmp_path, MISSENSE, row("chrM", 1, "G", "A")))
    annotate(first / "annotated.vcf.gz", tmp_path / "again", tmp_path / "bundle")
    assert records(tmp_path / "again") == records(first)


def test_provenance_names_each_source_and_what_was_run(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, MISSENSE))
    told: dict[str, Any] = json.loads((outdir / "provenance.json").read_text())
    bundle = load(tmp_path / "bundle")
    assert told["bundle"]["sources"] == [
        {
            "name": source.name,
            "release": "7",
            "columns": source.columns,
            "sha256": digest(source.path),
        }
        for source in bundle.sources
    ]
    commands = [command[0] for command in told["sources"]["commands"]]
    assert commands == ["annotate"] * 2
    assert str(tmp_path) not in json.dumps(told)


def test_a_bundle_without_sources_costs_no_command_and_counts_nothing(tmp_path: Path) -> None:
    annotate(write(tmp_path, MISSENSE), tmp_path / "out", DEMO)
    assert not {"known", "novel", "clinvar"} & set(summary(tmp_path / "out"))
    told = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert told["sources"]["commands"] == []


@pytest.mark.parametrize(
    ("ref", "alt"), [("TC", "TA"), ("ACA", "A"), ("A", "ACA"), ("TAC", "TGC"), ("AC", "ACT")]
)
def test_what_can_be_moved_or_trimmed_is_looked_up_in_two_ways(ref: str, alt: str) -> None:
    assert movable(pa.array([ref.encode()]), pa.array([alt.encode()])).to_pylist() == [True]


@pytest.mark.parametrize(
    ("ref", "alt"), [("A", "C"), ("AC", "A"), ("A", "AC"), ("AC", "GT"), ("TN", "TT")]
)
def test_what_is_as_short_and_left_as_it_goes_is_not(ref: str, alt: str) -> None:
    assert movable(pa.array([ref.encode()]), pa.array([alt.encode()])).to_pylist() == [False]


@pytest.mark.parametrize(
    ("here", "moved", "both"),
    [
        (None, None, None),
        (b"A=1", None, b"A=1"),
        (None, b"A=2", b"A=2"),
        (b"A=1;B=1", b"A=2;C=2", b"A=1;B=1;C=2"),
    ],
)
def test_what_is_said_of_an_allele_as_it_stands_goes_first(
    here: bytes | None, moved: bytes | None, both: bytes | None
) -> None:
    assert merged(here, moved) == both


def test_an_allele_in_small_letters_is_known(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, row("chr16", 190560, "t", "c"), MISSENSE))
    assert [info["GAS_KNOWN"] for info in infos(outdir)] == ["rs1", "rs1"]


def test_a_record_at_position_nought_does_not_get_lost(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, row("chr16", 0, "N", "C"), MISSENSE))
    assert [info.get("GAS_KNOWN") for info in infos(outdir)] == [None, "rs1"]
    with pysam.VariantFile(str(outdir / "annotated.vcf.gz")) as file:
        assert "GAS_KNOWN" in file.header.info


def test_flagged_indels_do_not_disturb_the_lookup(tmp_path: Path) -> None:
    odd = [row("MT", 16569, "GG", "G"), row("MT", 20000, "GG", "G"), row("MT", 20001, "CC", "CG")]
    outdir = results(write(tmp_path, *[MISSENSE] * 20, row("MT", 5, "TTT", "T"), *odd))
    assert [info.get("GAS_SKIP") for info in infos(outdir)][20:] == ["ref_mismatch"] * 4
    assert {info["GAS_KNOWN"] for info in infos(outdir)[:20]} == {"rs1"}
