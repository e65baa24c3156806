"""Small charts of a day, drawn on the server: columns by the hour, and lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gas.services.operations_history import Hour, Minute
from gas.templatetags.wording import took

#: Each chart is drawn in a square of so many units, and stretched to its place.
SIDE = 100.0
#: Between two columns, of the width of both.
GAP = 0.25


@dataclass(frozen=True)
class Segment:
    """A piece of a column: what it counts, and where it is drawn."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """One line: its name, and its points as SVG takes them, a list for each unbroken piece."""

    kind: str
    pieces: list[str]


@dataclass(frozen=True)
class Series:
    """A chart of the last day; `told` says in words what it shows."""

    key: str
    title: str
    told: str
    top: str  # what the upper edge stands for
    segments: list[Segment]
    lines: list[Line]


def ended(hours: Sequence[Hour]) -> Series:
    """Jobs that ended in each hour, one column of outcomes upon each other."""
    largest = max((sum(hour.ended.values()) for hour in hours), default=0)
    step = SIDE / max(1, len(hours))
    segments = []
    for number, hour in enumerate(hours):
        floor = SIDE
        for kind, count in hour.ended.items():
            height = SIDE * count / (largest or 1)
            if count:
                x = number * step + step * GAP / 2
                segments.append(_segment(kind, x, floor - height, step * (1 - GAP), height))
            floor -= height
    totals = {kind: sum(hour.ended[kind] for hour in hours) for kind in hours[0].ended}
    told = ", ".join(f"{count} {kind}" for kind, count in totals.items())
    return Series("ended", "Jobs that ended, by the hour", told, str(largest), segments, [])


def _segment(kind: str, x: float, y: float, width: float, height: float) -> Segment:
    return Segment(kind, round(x, 1), round(y, 1), round(width, 1), round(height, 1))


def waits(hours: Sequence[Hour]) -> Series:
    """How long jobs waited for their first work: half of them, and 95 of 100."""
    return _times(
        "waits", "Wait, by the hour", [h.wait_p50 for h in hours], [h.wait_p95 for h in hours]
    )


def runs(hours: Sequence[Hour]) -> Series:
    """How long annotations took: half of them, and 95 of 100."""
    return _times(
        "runs", "Run time, by the hour", [h.run_p50 for h in hours], [h.run_p95 for h in hours]
    )


def _times(
    key: str, title: str, middle: Sequence[float | None], most: Sequence[float | None]
) -> Series:
    longest = max((value for value in most if value is not None), default=0.0)
    lines = [
        Line(kind, _pieces(list(enumerate(values)), len(values) - 1, longest))
        for kind, values in (("p50", middle), ("p95", most))
    ]
    known = [value for value in middle if value is not None]
    typical = (
        f"half took up to {took(timedelta(seconds=sorted(known)[len(known) // 2]))}"
        if known
        else ""
    )
    told = (
        f"{typical} in the middle hour, 95 of 100 at most {_said(longest)}"
        if known
        else "nothing ended"
    )
    return Series(key, title, told, _said(longest), [], lines)


def _said(seconds: float) -> str:
    return took(timedelta(seconds=seconds))


def depth(name: str, minutes: Sequence[Minute], now: datetime) -> Series:
    """How many messages waited in a queue, minute by minute."""
    points = [(_at(minute.at, now), _waiting(minute, name)) for minute in minutes]
    largest = max((value for _, value in points if value is not None), default=0.0)
    lines = [Line("visible", _pieces(points, 1.0, largest))]
    told = f"at most {largest:.0f} messages waited in {name} within a day"
    return Series(f"depth-{name}", name, told, f"{largest:.0f}", [], lines)


def _at(moment: datetime, now: datetime) -> float:
    """Where in the last day a moment lies, from 0 to 1."""
    return 1 - (now - moment) / timedelta(days=1)


def _waiting(minute: Minute, name: str) -> float | None:
    counts = minute.queues.get(name)
    return None if counts is None or counts[0] is None else float(counts[0])


def _pieces(
    points: Sequence[tuple[float, float | None]], across: float, largest: float
) -> list[str]:
    """Join points to pieces; where nothing is known the line is broken. From 0 to 1 each way."""
    pieces: list[list[str]] = [[]]
    for place, value in points:
        if value is None:
            pieces.append([])
            continue
        x, y = place / (across or 1), 1 - value / (largest or 1)
        pieces[-1].append(f"{SIDE * x:.2f},{SIDE * y:.2f}")
    return [" ".join(_visible(piece)) for piece in pieces if piece]


def _visible(piece: list[str]) -> list[str]:
    """A line of one point is no line: make it a short one."""
    if len(piece) > 1:
        return piece
    x, _, y = piece[0].partition(",")
    return [f"{float(x) - 1:.2f},{y}", f"{float(x) + 1:.2f},{y}"]
