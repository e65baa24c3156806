"""How often somebody may ask: kept in rows, so that every web process counts the same."""

from gas.models import Allowance, Taken, User

#: Tries without a living token that one address has in a minute.
FAILED_TRIES = 30


def take(*, user: User) -> Taken:
    """Take one request of what an account's plan allows, whichever of its tokens sent it."""
    return Allowance.take(f"account {user.pk}", per_minute=user.plan.requests_per_minute)


def take_failed(*, sender: str) -> Taken:
    """Take one failed try of a sender."""
    return Allowance.take(f"sender {sender}", per_minute=FAILED_TRIES)
