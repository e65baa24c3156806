"""The lines of the log as a machine reads them, written by the formatter of the service."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from gas.logs import lines

SECRET_SETTING = "planted-in-the-settings"


class Log:
    """What was logged since the test began."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(lines.formatter("json", [SECRET_SETTING]))

    @property
    def text(self) -> str:
        """All of it."""
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each line."""
        return [json.loads(line) for line in self.text.splitlines()]

    def about(self, correlation: str) -> list[dict[str, Any]]:
        """The lines that bear an id."""
        return [line for line in self.lines if line.get("correlation") == correlation]


@pytest.fixture
def log() -> Iterator[Log]:
    """Every line from INFO up, of everybody."""
    made, root = Log(), logging.getLogger()
    level = root.level
    root.addHandler(made.handler)
    root.setLevel("INFO")
    yield made
    root.removeHandler(made.handler)
    root.setLevel(level)
