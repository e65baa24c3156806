"""A stand-in for Globus per test, and a visitor."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from dev.fake_globus import FakeGlobus, start
from tests.globus.visitor import Visitor


@pytest.fixture
def globus(settings: Settings, db: None) -> Iterator[FakeGlobus]:
    """The stand-in, with the site pointed at it."""
    server = start()
    settings.GLOBUS_AUTH_URL = server.url
    settings.GLOBUS_TIMEOUT = timedelta(minutes=2)  # a busy machine is no outage
    yield server
    server.stop()


@pytest.fixture
def visitor() -> Visitor:
    """Somebody who was never here."""
    return Visitor()
