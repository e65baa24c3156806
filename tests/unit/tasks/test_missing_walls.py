"""A worker tells at its start which walls stand, and what its kernel lacks."""

import logging

import pytest
from pytest_django import Settings

from annotator.sandbox import Limits, Walls
from tasks import annotate


def said(
    landlock: int, patch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> list[tuple[int, str]]:
    walls = Walls(Limits(memory_mb=77), landlock, no_sockets=landlock > 0)
    patch.setattr(annotate, "foreseen", lambda _: walls)
    with log.at_level(logging.INFO, logger=annotate.__name__):
        annotate.tell_walls()
    return [(record.levelno, record.getMessage()) for record in log.records]


def test_a_worker_warns_of_open_walls(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.SANDBOX = "preferred"
    assert (
        logging.WARNING,
        "this kernel leaves files and network open to the annotator; GAS_SANDBOX is preferred",
    ) in said(0, monkeypatch, caplog)


def test_a_worker_with_all_walls_names_them_and_warns_of_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ((level, line),) = said(7, monkeypatch, caplog)
    assert level == logging.INFO
    assert line.startswith("Walls: files Landlock 7; network Landlock (TCP) and seccomp;")
    assert "memory 77 MiB" in line
