"""Accounts whose owners have left: their jobs and files go, some in each sweep, then the row."""

import logging

from django.db import transaction

from gas.models import Discard, User
from gas.storage import removal, result_sets

logger = logging.getLogger(__name__)

#: Jobs and uploads of one account that go at a time: the rest waits for the next sweep.
MOST_AT_ONCE = 200

#: Pieces of what is given up with one job or upload.
PIECES = 8


def empty(user: User, *, most: int = MOST_AT_ONCE) -> bool:
    """Remove what is left of an account, as far as one go takes; True when all of it has gone.

    Its bytes are given up with the rows, and destroyed now as far as storage answers.
    """
    removed = removal.remove_some(user, most=most)
    result_sets.carry_out(Discard.objects.due()[: PIECES * removed])
    return _remove_empty(user.pk)


@transaction.atomic
def _remove_empty(number: int) -> bool:
    """Remove the row, unless a job was made of it at the last moment: that waits for the lock."""
    user = User.objects.select_for_update(of=("self",)).filter(pk=number).first()
    if user is None or user.jobs.exists() or user.uploads.exists():
        return False
    user.delete()
    logger.info("account %s has gone", number)
    return True


def empty_all() -> int:
    """Go on with every account that was left; returns how many have gone."""
    return sum(empty(user) for user in User.objects.exclude(left_at=None))
