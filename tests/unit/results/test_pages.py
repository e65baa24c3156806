"""Pages of variants: every one once, in the order asked for, whatever row groups they lie in."""

from io import BytesIO
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotator.consequence import RANK
from gas.results import variants
from gas.results.conditions import OneOf
from gas.results.errors import NoSuchRow, TooSlow, TooWide, Unreadable
from gas.results.filters import Filter
from gas.results.scan import Sort
from gas.results.table import Deadline, Table, as_python
from gas.results.variants import Order, page, transcripts
from tests.tables import PLACE, Row, a_file, a_row, parquet, sample

SOON = Deadline.within(86_400)  # from when this file is read
HIGH = Filter(((OneOf("impact", ("HIGH",)),),))


def expected(wanted: Filter) -> list[tuple[int, Row]]:
    """The variants with the number of the row that tells of each, in the order of the file."""
    rows = [(at, row) for at, row in enumerate(sample()) if not wanted or row["impact"] == "HIGH"]
    return [
        min(same, key=lambda one: RANK[one[1]["consequence"]])
        for _, each in groupby(rows, lambda one: itemgetter(*PLACE)(one[1]))
        if (same := list(each))
    ]


def in_order(found: list[tuple[int, Row]], order: Order) -> list[int]:
    def value(row: Row) -> Any:
        return RANK[row[order.by]] if order.by is Sort.SEVERITY else row[order.by]

    if order.by is Sort.PLACE:
        return [at for at, _ in found][:: -1 if order.descending else 1]
    told = [(value(row), at) for at, row in found if value(row) is not None]
    empty = [at for at, row in found if value(row) is None]
    return [at for _, at in sorted(told, key=itemgetter(0), reverse=order.descending)] + empty


def all_pages(table: Table, wanted: Filter, order: Order) -> list[int]:
    rows: list[int] = []
    behind = None
    while True:
        found = page(table, wanted, order, behind=behind, until=SOON)
        rows += [row["row"] for row in found.variants]
        behind = found.behind
        if behind is None:
            return rows
        assert len(rows) % variants.PAGE == 0


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", Sort)
def test_all_pages_together_show_every_variant_once_in_order(by: Sort, *, descending: bool) -> None:
    order = Order(by, descending)
    table = Table(a_file(parquet(sample(), group=90)))
    assert all_pages(table, Filter(), order) == in_order(expected(Filter()), order)


@pytest.mark.parametrize("group", [1, 2, 7, 1000])
def test_a_variant_that_spans_row_groups_is_one(group: int) -> None:
    table = Table(a_file(parquet(sample()[:60], group=group)))
    found = page(table, HIGH, until=SOON)
    among = [(at, row) for at, row in expected(HIGH) if at < 60]
    assert [row["row"] for row in found.variants] == [at for at, _ in among]
    assert found.count.variants == len(among)


def test_a_page_reads_no_row_group_before_it() -> None:
    source = a_file(parquet(sample(), group=90))
    table = Table(source)
    first = page(table, Filter(), until=SOON)
    seen = len(source.asked)
    page(table, Filter(), behind=300, counted=first.count, until=SOON)
    assert all(start >= source.asked[seen][0] for start, _ in source.asked[seen:])
    assert source.asked[seen][0] > source.asked[1][0]


def test_a_row_shows_what_the_file_says() -> None:
    table = Table(a_file(parquet(sample(), group=50)))
    for row in page(table, HIGH, until=SOON).variants:
        said = sample()[row.pop("row")]
        assert row == {name: said[name] for name in variants.SHOWN}


@pytest.mark.parametrize("group", [12, 90])
def test_all_rows_of_an_allele_are_found_from_any_of_them(group: int) -> None:
    table = Table(a_file(parquet(sample()[:80], group=group)))
    groups = [
        list(each) for _, each in groupby(range(80), lambda at: tuple(map(sample()[at].get, PLACE)))
    ]
    biggest = max(groups, key=len)
    for row in (biggest[0], biggest[-1]):
        assert [one["row"] for one in transcripts(table, row, SOON)] == biggest


def test_a_page_behind_a_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(NoSuchRow):
        page(Table(a_file(parquet(sample()))), Filter(), behind=len(sample()), until=SOON)


def test_a_question_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TooSlow):
        page(Table(a_file(parquet(sample()))), Filter(), until=Deadline.within(-1))


def test_counting_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "COUNTING", -1.0)
    monkeypatch.setattr(variants, "PAGE", 5)
    count = page(Table(a_file(parquet(sample()))), Filter(), until=SOON).count
    assert not count.exact
    assert 0 < count.rows < len(sample())


def test_cells_that_are_too_long_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [a_row(contig="1", position=at, ref="A" * 500 + "C" * at, alt="T") for at in range(9)]
    source = a_file(parquet(rows))
    table = Table(source)
    asked = len(source.asked)
    monkeypatch.setattr("gas.results.table.WIDEST", 1000)
    with pytest.raises(TooWide):
        page(table, Filter(), until=SOON)
    assert len(source.asked) == asked


def test_a_long_cell_that_is_often_repeated_takes_its_place_once() -> None:
    codes, words = pa.array([0] * 20_000, pa.int32()), pa.array(["A" * (1 << 20)])
    sink = BytesIO()
    coded = pa.table({"filter": pa.DictionaryArray.from_arrays(codes, words)})
    pq.write_table(coded, sink, store_schema=False)
    (group,) = Table(a_file(sink.getvalue())).read([0], ["filter"], SOON)
    assert group.rows == 20_000
    assert group.cells["filter"].nbytes < 4 << 20
    words = as_python(group.cells["filter"])
    assert len(words) == 20_000
    assert len({id(word) for word in words}) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        b"\x1f\x8b" + 500 * b"x",
        b"PAR1" + 90 * b"x" + b"\xff\xff\xff\x7fPAR1",
        90 * b"x" + b"\x09\0\0\0PAR1",
    ],
)
def test_bytes_that_are_no_table_are_said_to_be_none(content: bytes) -> None:
    with pytest.raises(Unreadable):
        Table(a_file(content))


def test_a_table_without_rows_has_an_empty_page() -> None:
    found = page(Table(a_file(parquet([]))), HIGH, until=SOON)
    assert (found.variants, found.behind, found.count.variants) == ([], None, 0)
