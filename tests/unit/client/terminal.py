"""Somebody at a terminal."""

import sys
from collections.abc import Callable

import pytest

Gas = Callable[..., tuple[int, str, str]]


def at_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
