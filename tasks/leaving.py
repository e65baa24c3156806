"""Accounts whose owners have left: their jobs and files go, some in each sweep, then the row."""

import logging
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils import timezone

from gas.globus import sessions
from gas.models import AccountEvent, Discard, User
from gas.storage import removal, result_sets
from gas.storage.tombstones import Buried

logger = logging.getLogger(__name__)

#: Jobs and uploads of one account that go at a time: the rest waits for the next sweep.
MOST_AT_ONCE = 200

#: Pieces of what is given up with one job or upload.
PIECES = 9

#: How the last entry of an account begins that its owner has left.
LEFT = "deleted everything"


def close(user: User, *, actor: str = "owner") -> bool:
    """Close an account and take its names from it; False when it was closed already.

    What stays is that an account of this number was deleted, also outside of the database.
    """
    sessions.end(user.sign_ins.all())
    with transaction.atomic():
        staying = User.objects.select_for_update(of=("self",)).filter(left_at=None)
        if staying.filter(pk=user.pk).first() is None:
            return False  # asked for twice at once
        jobs, uploads = user.jobs.count(), user.uploads.count()
        User.objects.filter(pk=user.pk).update(**_nameless(user))
        user.events.all().delete()  # which the database lets go only now
        AccountEvent.objects.create(
            account=user, actor=actor, what=f"{LEFT}: {jobs} jobs, {uploads} uploads"
        )
        user.api_tokens.all().delete()
        for webhook in user.webhooks.select_for_update():  # before its deliveries
            webhook.delete()
        user.declined_topics.all().delete()
        user.grants.all().delete()
        SocialAccount.objects.filter(user=user).delete()
        result_sets.bury(Buried.ACCOUNT, user.pk)
    logger.info("account %s was left by its owner", user.pk)
    return True


def _nameless(user: User) -> dict[str, Any]:
    return {
        "username": f"left-{user.pk}",
        "first_name": "",
        "last_name": "",
        "email": "",
        "is_active": False,
        "is_staff": False,
        "is_superuser": False,
        "left_at": timezone.now(),
    }


def empty(user: User, *, most: int = MOST_AT_ONCE) -> bool:
    """Remove what is left of an account, as far as one go takes; True when all of it has gone.

    Its bytes are given up with the rows, and destroyed now as far as storage answers.
    """
    removed = removal.remove_some(user, most=most)
    result_sets.carry_out(Discard.objects.due()[: PIECES * (removed + 1)])
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
