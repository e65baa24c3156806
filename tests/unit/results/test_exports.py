"""The wanted variants as files: every row once, in the form of the full file, a piece at a time."""

import gzip
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pysam
import pytest

from gas.results import bgzf, exports, vcf
from gas.results.conditions import Genes, OneOf, Region, Regions
from gas.results.errors import TooSlow, Unreadable
from gas.results.filters import Filter
from gas.results.index import Index
from gas.results.table import Deadline, Table
from tests.tables import PLACE, Row, a_file, a_row, parquet, sample, tsv
from tests.tables import vcf as vcf_of

SOON = Deadline.within(86_400)  # from when this file is read
GENE = Filter(((Genes(("pdia2",)),),))
FILTERS = {
    "gene": GENE,
    "high": Filter(((OneOf("impact", ("HIGH",)),),)),
    "region": Filter(((Regions((Region("chrM", 1, 9000),)),),)),
    "all": Filter(),
    "none": Filter(((Genes(("nothing",)),),)),
}


def table(rows: list[Row] | None = None, group: int = 37) -> Table:
    return Table(a_file(parquet(rows or sample(), group=group)))


def holds(name: str, row: Row) -> bool:
    match name:
        case "gene":
            return bool(row["gene"] == "PDIA2")
        case "high":
            return bool(row["impact"] == "HIGH")
        case "region":
            return bool(row["contig"] == "chrM" and row["position"] <= 9000)
        case _:
            return name == "all"


def unpacked(pieces: Iterator[bytes]) -> str:
    return gzip.decompress(b"".join(pieces)).decode()


@pytest.mark.parametrize("name", FILTERS)
def test_a_filtered_parquet_holds_the_wanted_rows_as_they_were(name: str) -> None:
    content = b"".join(exports.parquet(table(), FILTERS[name], SOON))
    read = pq.read_table(BytesIO(content))
    assert read.to_pylist() == [row for row in sample() if holds(name, row)]
    assert read.schema == pq.read_schema(BytesIO(parquet(sample())))


def test_a_parquet_of_many_rows_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "HELD_BYTES", 1)
    pieces = list(exports.parquet(table(), Filter(), SOON))
    assert len([piece for piece in pieces if piece]) > 5
    assert pq.read_table(BytesIO(b"".join(pieces))).to_pylist() == list(sample())


@pytest.mark.parametrize("name", FILTERS)
def test_a_filtered_vcf_holds_the_records_of_the_wanted_rows_as_they_stand(name: str) -> None:
    content, index = vcf_of(sample())
    places = exports.places(table(), FILTERS[name], SOON)
    said = vcf.records(a_file(content), Index.read(a_file(index)), places, "why", SOON)
    lines = unpacked(bgzf.packed(said)).splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert header[-2] == "##GAS_filter=why"
    wanted = {tuple(map(str, map(row.get, PLACE))) for row in sample() if holds(name, row)}
    full = gzip.decompress(content).decode().splitlines()
    assert lines[len(header) :] == [line for line in full if place_of(line) in wanted]


def place_of(line: str) -> tuple[str, ...]:
    cells = line.split("\t")
    return () if line.startswith("#") else (cells[0], cells[1], cells[3], cells[4])


def test_a_filtered_vcf_can_be_indexed_and_read(tmp_path: Path) -> None:
    content, index = vcf_of(sample())
    places = exports.places(table(), GENE, SOON)
    lines = vcf.records(a_file(content), Index.read(a_file(index)), places, "a\nb\té", SOON)
    file = tmp_path / "filtered.vcf.gz"
    file.write_bytes(b"".join(bgzf.packed(lines)))
    pysam.tabix_index(str(file), preset="vcf")
    with pysam.VariantFile(str(file)) as opened:
        assert "##GAS_filter=a?b??" in str(opened.header)
        assert sum(1 for _ in opened) >= 5


def test_what_lies_between_wanted_records_is_jumped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        a_row(
            contig="chr16",
            position=5_000 * at + 1,
            ref="A",
            alt="C",
            gene="far" if at == 900 else "x",
        )
        for at in range(1000)
    ]
    monkeypatch.setattr(bgzf, "BLOCK_BYTES", 500)
    content, index = vcf_of(rows)
    monkeypatch.setattr(vcf, "WORTH_A_JUMP", 1 << 10)
    monkeypatch.setattr(bgzf, "STEP", 1 << 10)
    source, until = a_file(content), SOON
    places = exports.places(table(rows, 100), Filter(((Genes(("far",)),),)), until)
    lines = unpacked(bgzf.packed(vcf.records(source, Index.read(a_file(index)), places, "", until)))
    assert [line for line in lines.splitlines() if not line.startswith("#")] == [
        line for line in gzip.decompress(content).decode().splitlines() if "\t4500001\t" in line
    ]
    assert sum(length for _, length in source.asked) < source.size / 2


def test_a_vcf_that_lacks_a_wanted_record_breaks_off() -> None:
    content, index = vcf_of([row for row in sample() if row["contig"] != "chr2"])
    places = exports.places(table(), Filter(), SOON)
    with pytest.raises(Unreadable):
        list(vcf.records(a_file(content), Index.read(a_file(index)), places, "", SOON))


def test_a_vcf_that_lacks_one_of_two_alleles_breaks_off() -> None:
    both = [a_row(contig="chr16", position=5, ref="A", alt=alt, gene="PDIA2") for alt in "CG"]
    content, index = vcf_of(both[:1])
    places = exports.places(table(both), GENE, SOON)
    with pytest.raises(Unreadable):
        list(vcf.records(a_file(content), Index.read(a_file(index)), places, "", SOON))


def test_a_vcf_that_ends_in_the_middle_breaks_off() -> None:
    content, index = vcf_of(sample())
    short = a_file(content[: len(content) // 2])
    places = exports.places(table(), Filter(), SOON)
    with pytest.raises(Unreadable):
        list(vcf.records(short, Index.read(a_file(index)), places, "", SOON))


def test_a_download_that_takes_too_long_breaks_off() -> None:
    with pytest.raises(TooSlow):
        list(exports.tsv(table(), Filter(), Deadline.within(-1)))


def test_no_cell_of_the_input_is_a_formula_in_the_tsv() -> None:
    armed = ["=1+1", "+1", "-1", "@SUM(A1)", '"', "a\tb", "a\rb"]
    rows = [
        a_row(contig="1", position=1, ref="A", alt="C", id=cell, filter=cell, genotypes=cell)
        for cell in armed
    ]
    text = unpacked(bgzf.packed(exports.tsv(table(rows), Filter(), SOON)))
    _, *lines = text.split("\n")[:-1]
    for line, cell in zip(lines, armed, strict=True):
        tame = cell.replace("\t", "?").replace("\r", "?")
        shown = tame if tame[0] == "a" else f"'{tame}"
        assert line.split("\t")[4] == line.split("\t")[-1] == shown


def test_long_cells_come_a_few_lines_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "SLICE_BYTES", 100)
    pieces = list(exports.tsv(table(), Filter(), SOON))
    assert len(pieces) == 1 + len(sample())
    assert b"".join(pieces).decode().splitlines() == tsv(sample())
