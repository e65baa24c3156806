"""Charts of a few lines as SVG: axes, lines, words; readable on light and dark pages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 44, 44
COLOURS = ("#1f6feb", "#d1491b", "#2b8a3e", "#8250df")
GREY, INK, PAPER = "#8b949e", "#24292f", "#ffffff"


@dataclass(frozen=True)
class Line:
    """One line and its name; a goal is drawn dashed."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Axis:
    """From where to where an axis goes, what it shows, and where it bears words."""

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    by_tens: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        if self.by_tens:
            low, high, value = (math.log10(each) for each in (self.low, self.high, value))
            return (value - low) / (high - low)
        return (value - self.low) / (self.high - self.low)


def svg(title: str, across: Axis, up: Axis, lines: Sequence[Line]) -> str:
    """Draw a chart."""
    style = f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}"'
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {style}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        *(_across(across, value, word) for value, word in across.ticks),
        *(_up(up, value, word) for value, word in up.ticks),
        _words(WIDTH - RIGHT, HEIGHT - 6, across.title, "end"),
        _words(8, 16, up.title, "start"),
        *(_legend(number, lines) for number in range(len(lines))),
        *(_line(line, COLOURS[n % len(COLOURS)], across, up) for n, line in enumerate(lines)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.place(min(value, axis.high)) * (HEIGHT - TOP - BOTTOM)


def _words(x: float, y: float, words: str, anchor: str, colour: str = INK) -> str:
    place = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{escape(words)}</text>'


def _across(axis: Axis, value: float, word: str) -> str:
    x = _x(axis, value)
    ruler = f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{GREY}" stroke-opacity=".25"/>'
    return ruler + _words(x, HEIGHT - BOTTOM + 16, word, "middle")


def _up(axis: Axis, value: float, word: str) -> str:
    y = _y(axis, value)
    ruler = f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GREY}" stroke-opacity=".25"/>'
    return ruler + _words(LEFT - 6, y + 4, word, "end")


def _legend(number: int, lines: Sequence[Line]) -> str:
    x = LEFT + number * (WIDTH - LEFT - RIGHT) / len(lines)
    return _words(x, 34, lines[number].name, "start", COLOURS[number % len(COLOURS)])


def _line(line: Line, colour: str, across: Axis, up: Axis) -> str:
    points = " ".join(f"{_x(across, x):.1f},{_y(up, y):.1f}" for x, y in line.points)
    dashes = ' stroke-dasharray="6 4"' if line.dashed else ""
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.6"{dashes} points="{points}"/>'
