"""Conditions put together: all of a box must hold, and a row is wanted if it fits any box."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from gas.results.conditions import Condition, any_of
from gas.results.table import BoundsOf, Group

Box = tuple[Condition, ...]


@dataclass(frozen=True)
class Filter:
    """Which rows are wanted; without a box, all of them."""

    boxes: tuple[Box, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.boxes)

    @property
    def columns(self) -> set[str]:
        """The columns that are read to decide."""
        return {name for box in self.boxes for condition in box for name in condition.columns}

    def may_hold(self, bounds: BoundsOf) -> bool:
        """Tell whether a row group with these bounds can hold a wanted row."""
        return not self.boxes or any(
            all(condition.may_hold(bounds) for condition in box) for box in self.boxes
        )

    def holds(self, group: Group) -> pa.Array:
        """Return for each row of a group whether it is wanted."""
        if not self.boxes:
            return pa.repeat(pa.scalar(value=True), group.rows)
        return any_of([_all_of(box, group) for box in self.boxes])

    @property
    def words(self) -> str:
        """Say it in one line: `(gene is PDIA2 and impact is HIGH) or (on chrM)`."""
        said = [" and ".join(condition.words for condition in box) for box in self.boxes]
        return said[0] if len(said) == 1 else " or ".join(f"({one})" for one in said)


def _all_of(box: Box, group: Group) -> pa.Array:
    found = pa.repeat(pa.scalar(value=True), group.rows)
    for condition in box:
        found = pc.and_(found, condition.holds(group.cells))
    return found
