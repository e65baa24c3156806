"""What must hold of every input, on records drawn by hypothesis."""

import gzip
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotator import normalise
from annotator.bundles import DEMO
from annotator.run import PROVENANCE, RESULTS, annotate

HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB\n"
BASES = pysam.FastaFile(str(DEMO / "genome.fa.gz")).fetch("MT").upper()
ODD = ("<DEL>", "*", "A[MT:9[", "R", "<NON_REF>")
SAME_BYTES = [name for name in RESULTS if name != PROVENANCE]


@st.composite
def records(draw: st.DrawFn) -> str:
    """Draw a record on the mitochondrion, or on a contig that nobody knows."""
    pos = draw(st.integers(1, len(BASES) - 3))
    ref = BASES[pos - 1 : pos - 1 + draw(st.integers(1, 3))]
    alts = draw(
        st.lists(st.sampled_from(("A", "C", "G", "T", "ACG", *ODD)), min_size=1, max_size=3)
    )
    usable = sorted({alt for alt in alts if alt != ref}) or ["."]
    contig = draw(st.sampled_from(("MT", "MT", "MT", "unknown")))
    cell = draw(st.sampled_from((".", "rs1", "=1+1", "@x", '"q')))
    genotypes = draw(st.sampled_from(("0/1\t./.", "0|1\t1|1", "1\t0")))
    genotypes = genotypes if usable != ["."] else "0/0\t./."
    return f"{contig}\t{pos}\t{cell}\t{ref}\t{','.join(usable)}\t.\tPASS\tDP=3\tGT\t{genotypes}\n"


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalise, "SHARD_BYTES", 400)


def lines(outdir: Path) -> list[str]:
    text = gzip.decompress((outdir / "annotated.vcf.gz").read_bytes()).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(records(), min_size=1, max_size=30))
def test_nothing_is_lost_and_workers_change_no_byte(drawn: list[str]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "input.vcf"
        source.write_text(HEAD + "".join(drawn))
        annotate(source, folder / "one", DEMO)
        annotate(source, folder / "two", DEMO, workers=2)
        annotate(source, folder / "again", DEMO, workers=2)
        for result in SAME_BYTES:
            one = (folder / "one" / result).read_bytes()
            assert one == (folder / "two" / result).read_bytes(), result
            assert one == (folder / "again" / result).read_bytes(), result
        check_counts(folder / "one", drawn)
        check_records(lines(folder / "one"), drawn)


def check_counts(outdir: Path, drawn: list[str]) -> None:
    counts = json.loads((outdir / "summary.json").read_text())
    assert counts["records_in"] == len(drawn)
    assert counts["alleles"] == counts["annotated"] + sum(counts["flagged"].values())
    skipped = (outdir / "skipped.tsv").read_text().splitlines()[1:]
    assert len(skipped) == sum(counts["flagged"].values())
    table = gzip.decompress((outdir / "annotated.tsv.gz").read_bytes()).decode().splitlines()
    parquet = pq.read_table(outdir / "annotated.parquet").to_pylist()
    assert len(table) - 1 == len(parquet) >= counts["annotated"]
    assert len({(r["contig"], r["position"], r["ref"], r["alt"]) for r in parquet}) <= len(
        lines(outdir)
    )
    for line in (*table[1:], *skipped):
        assert not any(cell[:1] in set('=@"') for cell in line.split("\t"))


def check_records(out: list[str], drawn: list[str]) -> None:
    """Every record is found again, split or flagged; if flagged, else unchanged."""
    given_lines = Counter(drawn)
    found = Counter[str]()
    for line in out:
        cells = line.split("\t")
        info = cells[7].split(";")
        origin = next((i.removeprefix("ORIG=") for i in info if i.startswith("ORIG=")), None)
        alts = origin.split("|")[3] if origin else cells[4]
        if origin is None and any(item.startswith("GAS_SKIP=") for item in info):
            cells[7] = ";".join(item for item in info if not item.startswith("GAS_SKIP="))
            assert "\t".join(cells) + "\n" in given_lines
        found["\t".join([*cells[:2], alts])] += 1
    for line in given_lines:
        contig, pos, _, _, alts, *_ = line.split("\t")
        assert found[f"{contig}\t{pos}\t{alts}"] >= given_lines[line]
