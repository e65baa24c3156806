"""How real: our code alone, with stand-ins for our own seams; no socket is ever opened."""

import pytest
from django.core.cache import cache

from gas.services import maintenance, pauses
from tests.seams.billing import billing as billing
from tests.seams.lines import log as log
from tests.seams.world import world as world


@pytest.fixture(autouse=True)
def no_network(socket_disabled: None) -> None:
    """A unit test that opens a socket fails."""


@pytest.fixture(autouse=True)
def open_site() -> None:
    """The process remembers nothing but what it reads all the time: no maintenance, no pause."""
    cache.clear()
    cache.set(maintenance.LATELY.name, (None,), 60)
    cache.set(pauses.PAUSED.name, (frozenset(),), 60)
