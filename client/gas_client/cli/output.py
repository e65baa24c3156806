"""How the command writes: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

import click

from gas_client.answers import plain
from gas_client.errors import Misused

Row = Sequence[str]


def document(told: Mapping[str, Any]) -> None:
    """Write one JSON document on one line."""
    click.echo(json.dumps(told, ensure_ascii=False))


def table(rows: Iterable[Row], heads: Row, widths: Sequence[int]) -> None:
    """Write rows as they come: in columns on a terminal, else with tabs between them.

    Nothing is written, no heads either, when the first row cannot be had.
    """
    coming = iter(rows)
    first = list(islice(coming, 1))
    for row in chain([heads], first, coming):
        _line(row, widths)


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Write what is not empty, a name and a value on each line."""
    for name, value in pairs:
        if value:
            click.echo(f"{name:<12}{plain(value)}")


def _line(row: Row, widths: Sequence[int]) -> None:
    cells = [plain(cell) for cell in row]
    if sys.stdout.isatty():
        padded = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False)]
        click.echo("  ".join([*padded, *cells[len(widths) :]]).rstrip())
    else:
        click.echo("\t".join(cells))


def text(told: str) -> None:
    """Write lines from outside; on a terminal without what would do something to it."""
    for line in told.splitlines():
        click.echo(_harmless(line) if sys.stdout.isatty() else line, color=True)


def _harmless(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in line)


def agreed(question: str) -> bool:
    """Ask a person; Misused when there is none."""
    if not sys.stdin.isatty():
        raise Misused("There is no terminal to ask whether you are sure; use --yes.")
    return click.confirm(question, err=True)


def when(time: datetime | None) -> str:
    """Write a time in UTC to the minute."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}" if time else ""


def size(count: int | None) -> str:
    """Write bytes as the pages of the site do."""
    if count is None:
        return ""
    amount, units = float(count), ["bytes", "KB", "MB", "GB", "TB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{count} bytes" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"
