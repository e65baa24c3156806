"""How often somebody may ask: kept in rows, so that every web process counts the same."""

import time

from gas.models import Allowance, Taken, User

#: Tries without a living token that one address has in a minute.
FAILED_TRIES = 30

#: Seconds after which a row tells nothing any more: all that was taken has come back.
KEPT = 600

#: Rows that one sweep takes away.
MOST = 5000


def take(*, user: User) -> Taken:
    """Take one request of what an account's plan allows, whichever of its tokens sent it."""
    return Allowance.take(f"account {user.pk}", per_minute=user.plan.requests_per_minute)


def take_failed(*, sender: str) -> Taken:
    """Take one failed try of a sender."""
    return Allowance.take(f"sender {sender}", per_minute=FAILED_TRIES)


def forget() -> int:
    """Take away rows of those who have long not asked; returns how many."""
    old = Allowance.objects.filter(spent_until__lt=time.time() - KEPT).order_by("spent_until")
    keys = list(old.values_list("pk", flat=True)[:MOST])
    return Allowance.objects.filter(pk__in=keys, spent_until__lt=time.time() - KEPT).delete()[0]
