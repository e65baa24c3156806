import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotator.bundles import DEMO
from annotator.run import annotate
from annotator.table import SCHEMA, unarmed
from tests.unit.annotator.samples import HEAD, row, write

SAMPLES = HEAD.replace("INFO\n", "INFO\tFORMAT\tA\tB\n")


def tables(source: Path) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """Annotate; return the cells of the TSV and the rows of the Parquet file."""
    outdir = source.parent / "out"
    annotate(source, outdir, DEMO)
    text = gzip.decompress((outdir / "annotated.tsv.gz").read_bytes()).decode()
    rows: list[dict[str, Any]] = pq.read_table(outdir / "annotated.parquet").to_pylist()
    return [line.split("\t") for line in text.splitlines()], rows


def test_a_row_tells_one_consequence_of_one_allele(tmp_path: Path) -> None:
    tsv, (only, *_) = tables(write(tmp_path, row("chr16", 190560, "T", "C")))
    assert tsv[0] == SCHEMA.names == list(only)
    assert only["position"] == 190560
    assert (only["gene"], only["transcript"], only["strand"]) == ("LUC7L", "NM_201412", "-")
    assert (only["consequence"], only["impact"]) == ("missense_variant", "MODERATE")
    assert only["amino_acid_change"] == "263R>263G"
    assert tsv[1] == ["." if cell is None else str(cell) for cell in only.values()]


def test_flagged_records_and_those_without_an_allele_are_in_no_table(tmp_path: Path) -> None:
    rows = [row("MT", 1, "G", "."), row("MT", 2, "A", "<DEL>"), row("MT", 3, "T", "C")]
    tsv, parquet = tables(write(tmp_path, *rows))
    assert [cells[1] for cells in tsv[1:]] == ["3"] == [str(r["position"]) for r in parquet]
    skipped = (tmp_path / "out" / "skipped.tsv").read_text().splitlines()
    assert skipped == ["contig\tposition\tid\tref\talt\treason", "MT\t2\t.\tA\t<DEL>\tsymbolic"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1+1", "@SUM(A1)", '"open'])
def test_no_cell_of_the_input_is_a_formula_in_the_tsv(tmp_path: Path, cell: str) -> None:
    records = [f"MT\t1\t{cell}\tG\tA\t.\t.\t.\n", f"MT\t2\t{cell}\tA\t<DEL>\t.\t.\t.\n"]
    tsv, (only,) = tables(write(tmp_path, *records))
    assert (tsv[1][4], only["id"]) == (f"'{cell}", cell)
    assert f"\t'{cell}\t" in (tmp_path / "out" / "skipped.tsv").read_text()


def test_control_characters_do_not_reach_the_tsv() -> None:
    assert unarmed(pa.array([b"a\rb", b"c"], pa.binary())).to_pylist() == [b"a?b", b"c"]


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    source.write_bytes(source.read_bytes().replace(b"MT\t1\t.", b"MT\t1\t\xff"))
    assert tables(source)[1][0]["id"] == "\N{REPLACEMENT CHARACTER}"


def test_genotypes_are_told_for_one_sample_and_counted_for_many(tmp_path: Path) -> None:
    many = write(tmp_path, "MT\t1\t.\tG\tA\t.\t.\t.\tGT:DP\t0/1:3\t0/1:4\n", head=SAMPLES)
    assert tables(many)[1][0]["genotypes"] == "0/1=2"
    (tmp_path / "single").mkdir()
    head = SAMPLES.replace("\tB\n", "\n")
    one = write(tmp_path / "single", "MT\t1\t.\tG\tA\t.\t.\t.\tGT:DP\t0/1:3\n", head=head)
    assert tables(one)[1][0]["genotypes"] == "0/1"
