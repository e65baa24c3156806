"""A worker tells at its start what its kernel lacks."""

import logging

import pytest
from celery.signals import worker_ready
from pytest_django import Settings

from tasks import annotate


def test_a_worker_warns_of_open_walls(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.SANDBOX = "preferred"
    monkeypatch.setattr(annotate, "lacking", lambda: ["files", "network"])
    with caplog.at_level(logging.WARNING):
        worker_ready.send(sender=None)
    assert caplog.messages == [
        "this kernel leaves files and network open to the annotator; GAS_SANDBOX is preferred"
    ]


def test_a_worker_with_all_walls_says_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(annotate, "lacking", list)
    worker_ready.send(sender=None)
    assert caplog.messages == []
