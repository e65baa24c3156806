"""How real: our code alone, with stand-ins for our own seams; no socket is ever opened."""

import pytest

from tests.seams.billing import billing as billing
from tests.seams.world import world as world


@pytest.fixture(autouse=True)
def no_network(socket_disabled: None) -> None:
    """A unit test that opens a socket fails."""
