"""The table of what must not happen names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs/security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    assert f"\ndef {name}(" in (ROOT / file).read_text()


def test_every_line_of_the_table_names_a_test() -> None:
    lines = re.findall(r"^\| (?!what|---)(.+?) \| (.+) \|$", TABLE, re.MULTILINE)
    assert len(lines) > 20
    assert [what for what, proof in lines if "::" not in proof] == []
