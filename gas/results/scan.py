"""Variants out of rows: one for all wanted rows of an allele that follow each other.

A variant is told by its most severe wanted row, of equals the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotator.consequence import RANK
from gas.results.filters import Filter
from gas.results.table import Deadline, Group, Table

KEY = ("contig", "position", "ref", "alt")
_ROW_BITS, _RUN_BIT = 32, 40  # a rank takes the bits between
_RANKS = pa.array(list(RANK), pa.string())


class Sort(StrEnum):
    """What variants can be ordered by; severity is the rank of the consequence."""

    PLACE = "position"
    GENE = "gene"
    SEVERITY = "consequence"
    CLINVAR = "clinvar_significance"
    KNOWN = "known_id"
    FREQUENCY = "allele_frequency"


@dataclass(frozen=True)
class Found:
    """The variants of one row group: their rows, their severities, what they are ordered by.

    `first` and `last` are the keys of the outermost wanted rows: a variant may go on in the next.
    """

    rows: pa.Array
    ranks: pa.Array
    values: pa.Array
    wanted: int
    first: tuple[Any, ...]
    last: tuple[Any, ...]


def found(
    table: Table, wanted: Filter, by: Sort, groups: list[int], until: Deadline
) -> Iterator[Found]:
    """Yield the variants of each row group; one that goes on belongs to where it ends."""
    columns = {*KEY, "consequence", by, *wanted.columns}
    held: Found | None = None
    for group in table.read(groups, columns, until):
        here = _in_group(group, wanted, by)
        if here is None:
            continue
        if held is not None:
            if held.last == here.first:
                held, here = _joined(held, here)
            yield held
        held = here
    if held is not None:
        yield held


def _in_group(group: Group, wanted: Filter, by: Sort) -> Found | None:
    places = pc.indices_nonzero(wanted.holds(group)).cast(pa.int64())
    if not len(places):
        return None
    key = [group.cells[name].take(places) for name in KEY]
    ranks = _severities(group.cells["consequence"]).take(places)
    worst = _worst_of_each(_runs(key), pc.bit_wise_or(pc.shift_left(ranks, _ROW_BITS), places))
    rows = pc.bit_wise_and(worst, (1 << _ROW_BITS) - 1)
    return Found(
        rows=pc.add(rows, group.first),
        ranks=pc.shift_right(worst, _ROW_BITS),
        values=values_of(group, by, rows),
        wanted=len(places),
        first=tuple(cells[0].as_py() for cells in key),
        last=tuple(cells[-1].as_py() for cells in key),
    )


def _worst_of_each(runs: pa.Array, severities: pa.Array) -> pa.Array:
    """Return the least of each run; severities take fewer bits than RUN_BIT."""
    if runs[-1].as_py() + 1 == len(runs):
        return severities
    both = pc.bit_wise_or(pc.shift_left(runs, _RUN_BIT), severities)
    both = both.take(pc.array_sort_indices(both))
    runs = pc.shift_right(both, _RUN_BIT)
    begins = pa.concat_arrays([pa.array([True]), pc.not_equal(runs[1:], runs[:-1])])
    return pc.bit_wise_and(both.filter(begins), (1 << _RUN_BIT) - 1)


def _joined(held: Found, here: Found) -> tuple[Found, Found]:
    """Move a variant that goes on to where it ends, by its worst row."""
    cut = len(held.rows) - 1
    worse = held.ranks[cut].as_py() <= here.ranks[0].as_py()
    better = held if worse else here
    at = cut if worse else 0
    front = Found(
        held.rows[:cut], held.ranks[:cut], held.values[:cut], held.wanted, held.first, held.last
    )
    back = Found(
        _led_by(better.rows[at : at + 1], here.rows),
        _led_by(better.ranks[at : at + 1], here.ranks),
        _led_by(better.values[at : at + 1], here.values),
        here.wanted,
        here.first,
        here.last,
    )
    return front, back


def _led_by(first: pa.Array, others: pa.Array) -> pa.Array:
    return pa.concat_arrays([first, others[1:]])


def _runs(key: list[pa.Array]) -> pa.Array:
    """Number the stretches of equal keys."""
    starts = pa.repeat(pa.scalar(value=False), len(key[0]) - 1)
    for cells in key:
        codes = cells.indices if pa.types.is_dictionary(cells.type) else cells
        starts = pc.or_(starts, pc.not_equal(codes[1:], codes[:-1]))
    return pa.concat_arrays(
        [pa.array([0], pa.int64()), pc.cumulative_sum(pc.cast(starts, pa.int64()))]
    )


def _severities(consequences: pa.Array) -> pa.Array:
    """Return the rank of each consequence, the worst first."""
    ranks = pc.fill_null(pc.index_in(consequences.dictionary, value_set=_RANKS), len(RANK))
    return pc.fill_null(ranks.take(consequences.indices), len(RANK)).cast(pa.int64())


def values_of(group: Group, by: Sort, rows: pa.Array) -> pa.Array:
    """Return what rows of a group are ordered by."""
    match by:
        case Sort.PLACE:
            return pc.add(rows, group.first)
        case Sort.SEVERITY:
            return _severities(group.cells[by]).take(rows)
        case Sort.FREQUENCY:
            seen = group.cells[by].take(rows)
            return pc.if_else(pc.is_nan(seen), None, seen)
        case _:
            return group.cells[by].take(rows)
