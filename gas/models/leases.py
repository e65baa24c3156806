"""Who holds a row that one worker may hold, and when it is free: the one place that says so."""

from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

#: Nobody holds it.
UNHELD = Q(lease_until=None)

#: Whoever held it has given no sign of life in time.
SILENT = Q(lease_until__lt=Now())

#: To be had, one way or the other.
FREE = UNHELD | SILENT

#: The columns of a row that nobody holds.
LET_GO: dict[str, Any] = {"lease_owner": "", "lease_until": None}


def held_by(worker: str) -> Q:
    """What this worker has taken, and nobody else since."""
    return Q(lease_owner=worker) & ~UNHELD


def hand_back(rows: QuerySet[Any], *, worker: str) -> None:
    """Give up what a worker that has ended holds of these rows."""
    rows.filter(held_by(worker)).update(**LET_GO)
