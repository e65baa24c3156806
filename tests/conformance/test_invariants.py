"""What must hold of every input, on files drawn by hypothesis.

`INVARIANTS=500 python -m pytest tests/conformance/test_invariants.py` draws that many.
"""

import gzip
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pysam.bcftools
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from annotator import normalise
from annotator.bundles import DEMO
from annotator.run import PROVENANCE, RESULTS, annotate
from tests.conformance.grammar import FORGOTTEN, HEAD, Record, files

COUNT = int(os.environ.get("INVARIANTS", "8"))
SMALL, LARGE = 1500, 1 << 30  # bytes of a shard
SAME_BYTES = [name for name in RESULTS if name != PROVENANCE]
PACKED = ("annotated.vcf.gz", "annotated.tsv.gz")
OURS = ("BCSQ=", "GAS_CSQ=", "GAS_IMPACT=", "GAS_GENE=", "GAS_TX=", "GAS_SKIP=")


@dataclass(frozen=True)
class Run:
    """The results of one run."""

    folder: Path

    def text(self, name: str) -> str:
        """A result's text, unpacked."""
        content = (self.folder / name).read_bytes()
        return (gzip.decompress(content) if name in PACKED else content).decode()

    @property
    def lines(self) -> list[str]:
        """The records of the annotated VCF."""
        return [line for line in self.text(PACKED[0]).splitlines() if line[0] != "#"]

    @property
    def summary(self) -> dict[str, int]:
        """The counts."""
        counts: dict[str, int] = json.loads(self.text("summary.json"))
        return counts

    @property
    def flagged(self) -> Counter[str]:
        """How many records of summary.json have which flag."""
        return Counter(json.loads(self.text("summary.json"))["flagged"])


def run(source: Path, shard: int, workers: int) -> Run:
    outdir = source.with_name(f"{shard}-{workers}-{len(list(source.parent.iterdir()))}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalise, "SHARD_BYTES", shard)
        annotate(source, outdir, DEMO, workers=workers)
    return Run(outdir)


@settings(
    max_examples=COUNT,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # to make a failing file smaller takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)
@given(files())
def test_nothing_is_lost_changed_or_left_to_chance(drawn: list[Record]) -> None:
    with TemporaryDirectory() as name:
        source = Path(name, "input.vcf")
        source.write_text(HEAD + "".join(f"{record.line}\n" for record in drawn))
        one = run(source, SMALL, 1)
        for again in (run(source, SMALL, 1), run(source, SMALL, 3)):
            check_same_bytes(one, again)
        check_same_content(one, run(source, LARGE, 1))
        check_counts(one, drawn)
        check_every_record_is_there(one, drawn)
        check_nothing_else_changed(one, drawn, split(source.parent, drawn))


def check_same_bytes(one: Run, other: Run) -> None:
    for name in SAME_BYTES:
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name


def check_same_content(one: Run, other: Run) -> None:
    """Each shard begins a block of its own, so files that are packed differ in their packing."""
    for name in (*PACKED, "skipped.tsv", "summary.json", "annotation.log"):
        assert one.text(name) == other.text(name), name
    tables = [pq.read_table(run.folder / "annotated.parquet") for run in (one, other)]
    assert tables[0].equals(tables[1])


def check_counts(one: Run, drawn: list[Record]) -> None:
    counts, flagged = one.summary, one.flagged
    assert counts["records_in"] == len(drawn)
    assert counts["alleles"] == counts["annotated"] + flagged.total()
    assert counts["records_out"] == counts["alleles"] + counts["reference"] == len(one.lines)
    said = Counter(item for line in one.lines for item in line.split("\t")[7].split(";"))
    assert +flagged == Counter(
        {item[9:]: times for item, times in said.items() if item.startswith("GAS_SKIP=")}
    )
    skipped = one.text("skipped.tsv").splitlines()[1:]
    assert len(skipped) == flagged.total()
    table = one.text("annotated.tsv.gz").splitlines()[1:]
    rows = pq.read_table(one.folder / "annotated.parquet").to_pylist()
    assert len(table) == len(rows) >= counts["annotated"]
    named = {(row["contig"], row["position"], row["ref"], row["alt"]) for row in rows}
    assert len(named) <= counts["annotated"]
    for line in (*table, *skipped):
        assert not any(cell[:1] in set('=@"') for cell in line.split("\t"))


def check_every_record_is_there(one: Run, drawn: list[Record]) -> None:
    """Each is whole, or there is one row for each of its ALTs, which says where it is from."""
    wanted = Counter[tuple[str, ...]]()
    for record in drawn:
        contig, pos, name, ref, alts, *_ = record.cells
        for at, alt in enumerate([alts] if record.stays_whole else alts.split(","), 1):
            origin = "" if record.stays_whole else f"{contig}|{pos}|{ref}|{alts}|{at}"
            wanted[contig, pos, name, ref, alt, origin] += 1
    found = Counter[tuple[str, ...]]()
    for line in one.lines:
        cells = line.split("\t")
        origins = (item[5:] for item in cells[7].split(";") if item.startswith("ORIG="))
        found[*cells[:5], next(origins, "")] += 1
    assert found == wanted


def check_nothing_else_changed(one: Run, drawn: list[Record], rows: Counter[str]) -> None:
    """Without our fields, a record is what it was, to the byte, or what the split makes of it."""
    given = Counter(record.line for record in drawn)
    for line in one.lines:
        cells = line.split("\t")
        items = cells[7].split(";")
        is_split = any(item.startswith("ORIG=") for item in items)
        cells[7] = ";".join(item for item in items if not item.startswith(OURS)) or "."
        left = rows if is_split else given
        left["\t".join(cells)] -= 1
        assert left["\t".join(cells)] >= 0, line


def split(folder: Path, drawn: list[Record]) -> Counter[str]:
    """Return what bcftools makes of the records when it only splits them."""
    source, target = folder / "sorted.vcf", folder / "split.vcf"
    lines = (f"{record.line}\n" for record in sorted(drawn, key=lambda one: one.order))
    source.write_text(HEAD.replace("#CHROM", FORGOTTEN + "#CHROM") + "".join(lines))
    how = ("-m", "-any", "--old-rec-tag", "ORIG", "-w", "0", "--no-version", "-Ov")
    pysam.bcftools.norm(*how, "-o", str(target), str(source), catch_stdout=False)
    return Counter(line for line in target.read_text().splitlines() if line[0] != "#")
