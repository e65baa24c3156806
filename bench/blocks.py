"""Tables that a program writes into a page between two comments, and reads there again."""

import re
from collections.abc import Sequence
from pathlib import Path


def read(page: Path, name: str) -> str:
    """What stands in the block of a page; ValueError when it has none."""
    found = _block(name).search(page.read_text())
    if found is None:
        raise ValueError(f"{page} has no block {name}")
    return found[2].strip("\n")


def fill(page: Path, name: str, text: str) -> None:
    """Replace what stands in a block of a page."""
    read(page, name)
    page.write_text(_block(name).sub(lambda m: f"{m[1]}\n{text}\n\n{m[3]}", page.read_text()))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(<!-- /{name} -->)", re.DOTALL)
