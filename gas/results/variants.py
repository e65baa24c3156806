"""Variants in pages, each a variant's most severe wanted row, and how many there are in all.

The number of that row names a variant: pages begin behind a number, never at an offset.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gas.results.conditions import judged
from gas.results.errors import NoSuchRow, TooSlow
from gas.results.filters import Filter
from gas.results.scan import KEY, Found, Sort, found, values_of
from gas.results.table import Deadline, Table, as_python

SHOWN = (
    *KEY,
    "id",
    "gene",
    "consequence",
    "impact",
    "amino_acid_change",
    "known_id",
    "clinvar_significance",
    "allele_frequency",
    "filter",
    "genotypes",
)
#: Variants of a page.
PAGE = 50
#: Seconds for which a page goes on counting what it does not show.
COUNTING = 2.0
#: Rows of one variant that are shown.
MOST_ROWS = 500

Row = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """What comes first; empty cells come last in either direction."""

    by: Sort = Sort.PLACE
    descending: bool = False


IN_PLACE = Order()


@dataclass(frozen=True)
class Count:
    """How many variants and rows are wanted; not `exact` when time ran out: there are more."""

    variants: int
    rows: int
    exact: bool = True


@dataclass(frozen=True)
class Page:
    """Some variants, each with its `row`, and the row behind which the next page begins."""

    variants: list[Row]
    behind: int | None
    count: Count


def page(
    table: Table,
    wanted: Filter,
    order: Order = IN_PLACE,
    *,
    behind: int | None = None,
    counted: Count | None = None,
    until: Deadline,
) -> Page:
    """Return the variants that come behind a row, or the first, and how many there are in all.

    Counting goes on for COUNTING seconds when all else is done; `counted` saves it.
    Raises NoSuchRow, TooSlow.
    """
    if behind is not None and behind >= table.rows:
        raise NoSuchRow
    groups = table.groups_where(wanted.may_hold)
    if order == IN_PLACE and behind is not None:  # all before it need not be looked at
        counted = counted or _Tally(found(table, wanted, order.by, groups, until)).rest()
        groups = [at for at in groups if at >= table.group_of(behind)]
    tally = _Tally(found(table, wanted, order.by, groups, until))
    if order == IN_PLACE:
        rows = _next_in_place(tally, behind)
    else:
        before = None if behind is None else _place_of(table, order, behind, until)
        rows = _next_in_order(tally, order, before)
    counted = counted or tally.rest()
    shown = rows[:PAGE]
    last = shown[-1] if len(rows) > PAGE else None
    return Page(rows_at(table, shown, SHOWN, until), last, counted)


def rows_at(
    table: Table, rows: Sequence[int], columns: Iterable[str], until: Deadline
) -> list[Row]:
    """Return rows by their numbers, in the order asked for."""
    groups = sorted({table.group_of(row) for row in rows})
    told: dict[int, Row] = {}
    for group in table.read(groups, columns, until):
        here = [row for row in rows if 0 <= row - group.first < group.rows]
        places = pa.array([row - group.first for row in here], pa.int64())
        cells = {name: as_python(cell.take(places)) for name, cell in group.cells.items()}
        for at, row in enumerate(here):
            told[row] = {"row": row, **{name: values[at] for name, values in cells.items()}}
    return [told[row] for row in rows]


def transcripts(table: Table, row: int, until: Deadline) -> list[Row]:
    """Return the neighbouring rows of the same allele, itself among them, up to MOST_ROWS."""
    here = table.group_of(row)
    groups = [at for at in (here - 1, here, here + 1) if 0 <= at < len(table.firsts)]
    (wanted,) = rows_at(table, [row], KEY, until)
    same = set[int]()
    for group in table.read(groups, KEY, until):
        alike = pa.repeat(pa.scalar(value=True), group.rows)
        for name in KEY:
            alike = pc.and_(alike, _equal(group.cells[name], wanted[name]))
        same |= {group.first + at for at in pc.indices_nonzero(alike).to_pylist()}
    first = last = row
    while first - 1 in same:
        first -= 1
    while last + 1 in same:
        last += 1
    return rows_at(table, range(first, min(last + 1, first + MOST_ROWS)), table.schema.names, until)


class _Tally:
    """Counts the variants that go by."""

    def __init__(self, scan: Iterator[Found]) -> None:
        self._scan, self._variants, self._rows = scan, 0, 0

    def __iter__(self) -> Iterator[Found]:
        for some in self._scan:
            self._variants += len(some.rows)
            self._rows += some.wanted
            yield some

    def rest(self) -> Count:
        """Let the others go by, as long as there is time."""
        soon = Deadline.within(COUNTING)
        try:
            exact = all(not soon.passed for _ in self)
        except TooSlow:
            exact = False
        return Count(self._variants, self._rows, exact)


def _next_in_place(tally: _Tally, behind: int | None) -> list[int]:
    rows: list[int] = []
    for some in tally:
        further = pc.greater(some.rows, -1 if behind is None else behind)
        rows += some.rows.filter(further)[: PAGE + 1].to_pylist()
        if len(rows) > PAGE:
            break
    return rows[: PAGE + 1]


def _next_in_order(tally: _Tally, order: Order, before: tuple[Any, int] | None) -> list[int]:
    best: list[tuple[Any, int]] = []
    direction = "descending" if order.descending else "ascending"
    for some in tally:
        later = _later(some, order, before)
        values, rows = some.values.filter(later), some.rows.filter(later)
        top = pc.array_sort_indices(_ordinal(values), order=direction, null_placement="at_end")
        top = top[: PAGE + 1]
        told = zip(values.take(top).to_pylist(), rows.take(top).to_pylist(), strict=True)
        best = _ordered(chain(best, told), descending=order.descending)[: PAGE + 1]
    return [row for _, row in best]


def _place_of(table: Table, order: Order, row: int, until: Deadline) -> tuple[Any, int]:
    """Return what a row is ordered by, and the row."""
    for group in table.read([table.group_of(row)], {order.by}, until):
        at = pa.array([row - group.first], pa.int64())
        return values_of(group, order.by, at)[0].as_py(), row
    raise AssertionError(row)


def _ordered(all_of: Iterable[tuple[Any, int]], *, descending: bool) -> list[tuple[Any, int]]:
    """Order values with their rows: equal ones by row, empty ones last."""
    by_row = sorted(all_of, key=itemgetter(1))
    told = [one for one in by_row if one[0] is not None]
    empty = [one for one in by_row if one[0] is None]
    return sorted(told, key=itemgetter(0), reverse=descending) + empty


def _later(some: Found, order: Order, before: tuple[Any, int] | None) -> pa.Array:
    """Return which variants come behind the last one of the page before."""
    if before is None:
        return pa.repeat(pa.scalar(value=True), len(some.rows))
    value, row = before
    further, empty = pc.greater(some.rows, row), pc.is_null(some.values)
    if value is None:
        return pc.and_(empty, further)
    values = some.values
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()  # words of sources and genes: short
    beyond = (pc.less if order.descending else pc.greater)(values, value)
    same = pc.and_(pc.equal(values, value), further)
    return pc.or_(empty, pc.fill_null(pc.or_(beyond, same), fill_value=False))


def _ordinal(values: pa.Array) -> pa.Array:
    """Return numbers that are ordered as the values are."""
    if not pa.types.is_dictionary(values.type):
        return values
    return pc.rank(values.dictionary, tiebreaker="dense").take(values.indices)


def _equal(cells: pa.Array, value: str | int) -> pa.Array:
    if pa.types.is_dictionary(cells.type):
        return judged(cells, lambda told: pc.equal(told, value))
    return pc.equal(cells, value)
