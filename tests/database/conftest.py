"""How real: a real database, real transactions, real threads; our own seams around it in memory.

On SQLite by default; `python -m dev.postgres python -m pytest tests/database` runs on PostgreSQL.
"""

import pytest

from tests.seams.world import world as world


@pytest.fixture(autouse=True)
def real_transactions(plans: None) -> None:
    """Every test commits, and starts from the rows that the migrations made."""
