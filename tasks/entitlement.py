"""Premium begins and ends: what that means for an account's jobs, whatever it came from.

A subscription that is paid and a grant of the staff entitle alike, and neither ends the other.
"""

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from gas.models import Grant, Plan, Status, Subscription, User
from tasks import turns

#: Grants that end in one sweep; the next sweep ends the next.
MOST = 500


def begin(user: User) -> None:
    """Keep results at hand, and ask back what is archived; inside the transaction of the cause."""
    User.objects.filter(pk=user.pk).update(plan=Plan.PREMIUM)
    user.jobs.filter(status=Status.COMPLETED).update(wake_at=None, sent_at=None)
    user.jobs.filter(status=Status.ARCHIVED).update(wake_at=Now(), sent_at=None)
    turns.give_after_commit(turns.THAW, turns.ANNOTATE, owner_id=user.pk)


def end(user: User) -> bool:
    """Archive after a grace period, unless something else entitles still; True when nothing does.

    Inside the transaction of the cause.
    """
    held = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if is_entitled(held):
        return False
    User.objects.filter(pk=user.pk).update(plan=Plan.FREE)
    user.jobs.filter(status=Status.COMPLETED).update(
        wake_at=Now() + settings.DOWNGRADE_GRACE, sent_at=None
    )
    unasked = user.jobs.filter(status=Status.ARCHIVED, thaw_tier="")
    unasked.update(wake_at=None, sent_at=None)
    return True


def is_entitled(user: User) -> bool:
    """Whether somebody pays for the account, or staff gave it premium for longer."""
    paid = user.subscriptions.filter(status=Subscription.Status.ACTIVE)
    given = user.grants.filter(ended_at=None, until__gt=Now())
    return paid.exists() or given.exists()


@transaction.atomic
def end_grant(grant: Grant) -> bool:
    """End what staff gave; False when it has ended already."""
    User.objects.select_for_update(of=("self",)).get(pk=grant.user_id)
    if not Grant.objects.filter(pk=grant.pk, ended_at=None).update(ended_at=Now()):
        return False
    end(grant.user)
    return True


def end_grants() -> int:
    """End every grant whose time is over; returns how many."""
    over = Grant.objects.filter(ended_at=None, until__lte=Now()).select_related("user")
    return sum(map(end_grant, over.order_by("until")[:MOST]))
