"""How real: our code alone, with stand-ins for our own seams; no socket is ever opened."""

import pytest
from django.core.cache import cache

from gas.services import maintenance
from tests.seams.billing import billing as billing
from tests.seams.lines import log as log
from tests.seams.world import world as world


@pytest.fixture(autouse=True)
def no_network(socket_disabled: None) -> None:
    """A unit test that opens a socket fails."""


@pytest.fixture(autouse=True)
def open_site() -> None:
    """The process has just read that nothing is under maintenance, as it does every few seconds."""
    cache.set(maintenance.CACHED, (None,), 60)
