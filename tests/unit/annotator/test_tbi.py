import random
from pathlib import Path

import pyarrow as pa
import pysam
import pytest

from annotator import normalise
from annotator.bundles import DEMO
from annotator.columns import split_lines
from annotator.run import annotate
from annotator.tbi import LARGEST, Places
from tests.unit.annotator.samples import HEAD, row, write

BASES = pysam.FastaFile(str(DEMO / "genome.fa.gz"))
START, END = 190_000, 390_000  # of chr16, across many windows of an index
OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}


def records() -> list[str]:
    """Return substitutions and deletions, some of them across the ends of windows."""
    dice, bases = random.Random(1), BASES.fetch("16").upper()
    places = {*dice.sample(range(START, END), 3000), *range(11 << 14, (24 << 14) + 1, 1 << 14)}
    rows = []
    for at in sorted(place for place in places if START < place < END):
        deleted = dice.choice((0, 0, 0, 40))
        ref = bases[at - 1 : at + deleted]
        rows.append(row("chr16", at, ref, ref[0] if deleted else OTHER[ref]))
    return [*rows, row("chrM", 1, "G", "A"), row("chrM", 16569, "G", "A")]


def block(places: Places, line: str) -> None:
    text = line.encode()
    lengths = pa.array([len(text)], pa.int32())
    places.add(split_lines(text), lengths, reaching=b"LEN=" in text or b"END=" in text)


def fetched(vcf: Path, index: Path) -> list[list[str]]:
    dice = random.Random(2)
    with pysam.TabixFile(str(vcf), index=str(index)) as file:
        found = [list(file.fetch("chrM")), list(file.fetch("chrM", 16568, 16569))]
        for _ in range(300):
            start = dice.randrange(START, END)
            found.append(list(file.fetch("chr16", start, start + dice.choice((1, 500, 50_000)))))
    return found


def test_the_index_finds_what_that_of_htslib_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalise, "SHARD_BYTES", 30_000)
    monkeypatch.setattr("annotator.outputs.pysam.tabix_index", None)
    outdir = tmp_path / "out"
    annotate(write(tmp_path, *records()), outdir, DEMO, workers=2)
    vcf = outdir / "annotated.vcf.gz"
    theirs = tmp_path / "theirs.vcf.gz"
    theirs.write_bytes(vcf.read_bytes())
    monkeypatch.undo()
    pysam.tabix_index(str(theirs), preset="vcf")
    found = fetched(vcf, Path(f"{vcf}.tbi"))
    assert found == fetched(vcf, Path(f"{theirs}.tbi"))
    assert min(len(found[0]), len(found[1])) > 0
    assert sum(map(len, found)) > 300


@pytest.mark.parametrize(
    "odd", [row("16", 7, "A", "C", "END=90"), row("16", LARGEST + 1, "A", "C")]
)
def test_what_such_an_index_cannot_tell_is_left_to_htslib(odd: str) -> None:
    places = Places()
    block(places, row("16", 5, "A", "C"))
    assert places.usable
    block(places, odd)
    assert not places.usable


def test_a_record_that_reaches_beyond_its_ref_is_found_at_its_end(tmp_path: Path) -> None:
    head = HEAD.replace("#CHROM", '##INFO=<ID=END,Number=1,Type=Integer,Description="x">\n#CHROM')
    source = write(tmp_path, row("chr16", 190560, "T", "<DEL>", "END=260000"), head=head)
    annotate(source, tmp_path / "out", DEMO)
    with pysam.TabixFile(str(tmp_path / "out" / "annotated.vcf.gz")) as file:
        assert len(list(file.fetch("chr16", 259_000, 259_001))) == 1
