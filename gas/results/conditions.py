"""What a row must be like: judged by a row group's bounds first, then cell by cell.

A row is one allele in one transcript. Each condition says which columns it reads, whether a row
group may hold such rows, which rows are such, and itself in words. Text is judged once per distinct
value, and an empty cell meets no condition but those that ask for one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from gas.results.table import Bounds, BoundsOf, Cells

#: How a missing value is written in the tables.
MISSING = "."
_PREFIX = re.compile(r"^chr", re.IGNORECASE)


class Condition(Protocol):
    """One thing asked of a row."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""

    def may_hold(self, bounds: BoundsOf) -> bool:
        """Tell whether rows within these bounds can meet it; True when that is not known."""

    def holds(self, cells: Cells) -> pa.Array:
        """Return for each row whether it meets it."""

    @property
    def words(self) -> str:
        """Say it: `gene is PDIA2`."""


@dataclass(frozen=True)
class Genes:
    """In one of these genes, whatever their letters' case."""

    names: tuple[str, ...]
    columns = ("gene",)

    def may_hold(self, bounds: BoundsOf) -> bool:
        """Genes follow no order in a file; only groups without any are ruled out."""
        return _may_have(bounds("gene"))

    def holds(self, cells: Cells) -> pa.Array:
        """Compare in lower case, in the letters from A to Z."""
        names = pa.array([lowered(name) for name in self.names], pa.string())
        return judged(cells["gene"], lambda told: pc.is_in(pc.ascii_lower(told), value_set=names))

    @property
    def words(self) -> str:
        """Say it."""
        return f"gene {_is_one_of(self.names)}"


@dataclass(frozen=True)
class Region:
    """A contig or a part of it, from and to a base, both counted from 1 and included."""

    contig: str
    start: int = 1
    end: int | None = None

    columns = ("contig", "position")

    def may_hold(self, bounds: BoundsOf) -> bool:
        """A group lies mostly on one contig, and its positions ascend there."""
        contig, position = bounds("contig"), bounds("position")
        if contig.least is None or position.least is None:
            return True
        if contig.least == contig.most and not self._is_on(contig.least):
            return False
        return bool(
            position.most >= self.start and (self.end is None or position.least <= self.end)
        )

    def holds(self, cells: Cells) -> pa.Array:
        """Compare the position of the record; a deletion that begins before is not found."""
        names = cells["contig"].dictionary.to_pylist()
        same = pa.array([name for name in names if self._is_on(name)], pa.string())
        here = judged(cells["contig"], lambda told: pc.is_in(told, value_set=same))
        here = pc.and_(here, pc.greater_equal(cells["position"], self.start))
        return (
            here if self.end is None else pc.and_(here, pc.less_equal(cells["position"], self.end))
        )

    def _is_on(self, contig: str) -> bool:
        return plain_contig(contig) == plain_contig(self.contig)

    @property
    def words(self) -> str:
        """Say it."""
        if self.end is None and self.start == 1:
            return f"on {self.contig}"
        return f"in {self.contig}:{self.start}-{self.end or ''}"


@dataclass(frozen=True)
class Regions:
    """In one of these regions."""

    regions: tuple[Region, ...]
    columns = ("contig", "position")

    def may_hold(self, bounds: BoundsOf) -> bool:
        """Ask each."""
        return any(region.may_hold(bounds) for region in self.regions)

    def holds(self, cells: Cells) -> pa.Array:
        """Ask each."""
        return any_of([region.holds(cells) for region in self.regions])

    @property
    def words(self) -> str:
        """Say it."""
        said = " or ".join(region.words for region in self.regions)
        return said if len(self.regions) == 1 else f"({said})"


@dataclass(frozen=True)
class OneOf:
    """With exactly one of these words in a column."""

    column: str
    values: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def may_hold(self, bounds: BoundsOf) -> bool:
        """Compare with the first and the last word of the group."""
        told = bounds(self.column)
        if told.least is None:
            return _may_have(told)
        return any(told.least <= value <= told.most for value in self.values)

    def holds(self, cells: Cells) -> pa.Array:
        """Compare the whole cell."""
        values = pa.array(self.values, pa.string())
        return judged(cells[self.column], lambda told: pc.is_in(told, value_set=values))

    @property
    def words(self) -> str:
        """Say it."""
        return f"{self.column} {_is_one_of(self.values)}"


@dataclass(frozen=True)
class Tokens:
    """With one of these words among several in a cell of some columns; a dot asks for no word."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    between: str
    name: str

    def may_hold(self, bounds: BoundsOf) -> bool:
        """Only columns that are empty tell anything."""
        return MISSING in self.values or any(_may_have(bounds(name)) for name in self.columns)

    def holds(self, cells: Cells) -> pa.Array:
        """Take each distinct cell apart."""
        found = [self._found(cells[name]) for name in self.columns]
        if MISSING in self.values:
            found += [pc.is_null(cells[name]) for name in self.columns]
        return any_of(found)

    def _found(self, cells: pa.Array) -> pa.Array:
        either = "|".join(re.escape(lowered(value)) for value in self.values)
        pattern = f"(^|[{self.between}])({either})([{self.between}]|$)"
        return judged(cells, lambda told: pc.match_substring_regex(pc.ascii_lower(told), pattern))

    @property
    def words(self) -> str:
        """Say it."""
        return f"{self.name} {_is_one_of(self.values)}"


@dataclass(frozen=True)
class Frequency:
    """Seen at least, or at most, so often in the source; or never seen there."""

    least: float | None
    most: float | None
    unseen: bool

    columns = ("allele_frequency",)

    def may_hold(self, bounds: BoundsOf) -> bool:
        """Compare with the extremes, and with how many are empty."""
        told = bounds("allele_frequency")
        if self.unseen and told.empty != 0:
            return True
        if told.least is None:
            return self._ranged and _may_have(told)
        above = self.most is None or told.least <= self.most
        return self._ranged and above and (self.least is None or told.most >= self.least)

    def holds(self, cells: Cells) -> pa.Array:
        """Compare as 64-bit floating point, both ends included."""
        seen = cells["allele_frequency"]
        found = [pc.is_null(seen)] if self.unseen else []
        if self._ranged:
            low = pc.greater_equal(seen, 0.0 if self.least is None else self.least)
            high = pc.less_equal(seen, 1e300 if self.most is None else self.most)
            found.append(pc.fill_null(pc.and_(low, high), fill_value=False))
        return any_of(found)

    @property
    def _ranged(self) -> bool:
        return self.least is not None or self.most is not None

    @property
    def words(self) -> str:
        """Say it."""
        ends = [f"at least {self.least:g}"] if self.least is not None else []
        ends += [f"at most {self.most:g}"] if self.most is not None else []
        kinds = [" and ".join(ends)] if ends else []
        kinds += ["not seen"] if self.unseen else []
        return (
            f"frequency is {kinds[0]}"
            if len(kinds) == 1
            else f"frequency is ({' or '.join(kinds)})"
        )


@dataclass(frozen=True)
class Known:
    """Known to a source, or to none."""

    known: bool
    columns = ("known_id",)

    def may_hold(self, bounds: BoundsOf) -> bool:
        """Count the empty cells."""
        told = bounds("known_id")
        return _may_have(told) if self.known else told.empty != 0

    def holds(self, cells: Cells) -> pa.Array:
        """Look for an id."""
        return pc.is_valid(cells["known_id"]) if self.known else pc.is_null(cells["known_id"])

    @property
    def words(self) -> str:
        """Say it."""
        return "known to a source" if self.known else "known to no source"


def judged(cells: pa.Array, verdict: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Judge each distinct value of coded cells once; an empty cell is found guilty of nothing."""
    return pc.fill_null(verdict(cells.dictionary).take(cells.indices), fill_value=False)


def any_of(found: list[pa.Array]) -> pa.Array:
    """Return where at least one of them holds."""
    first, *others = found
    for other in others:
        first = pc.or_(first, other)
    return first


def lowered(text: str) -> str:
    """Return text with the letters from A to Z in lower case, and no others."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def plain_contig(name: str) -> str:
    """Return the name that `chr16` and `16`, `chrM` and `MT` share."""
    plain = lowered(_PREFIX.sub("", name))
    return "mt" if plain == "m" else plain


def _may_have(told: Bounds) -> bool:
    """Tell whether a column may hold anything at all."""
    return told.empty is None or told.empty < told.rows


def _is_one_of(values: tuple[str, ...]) -> str:
    said = ["missing" if value == MISSING else value for value in values]
    return f"is {said[0]}" if len(said) == 1 else f"is one of {', '.join(said)}"
