"""Owners are told before results move to the archive: a mail for all that go within a while.

The mail about a finished job tells its last day already, so only what has been at hand for long is
called, such as the results of somebody whose subscription ended.
"""

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from gas.models import Job, Notice, Status
from tasks.notify import notify

#: Owners who are told in one sweep; the next sweep tells the next.
MOST = 500

CALLS = Notice.objects.filter(kind=Notice.Kind.LAST_CALL)


def soon_to_go() -> QuerySet[Job]:
    """Results that move to the archive soon, of which their owners have not been told."""
    told = CALLS.filter(
        job__owner=OuterRef("owner"),
        created_at__gte=OuterRef("wake_at") - 2 * settings.REMIND_BEFORE,
    )
    told_of_this = CALLS.filter(job=OuterRef("pk"), attempt=OuterRef("attempt"))
    return Job.objects.filter(
        ~Exists(told),
        ~Exists(told_of_this),
        status=Status.COMPLETED,
        owner__plan__archives=True,
        wake_at__gt=Now(),
        wake_at__lte=Now() + settings.REMIND_BEFORE,
        completed_at__lte=Now() - settings.REMIND_BEFORE,
    )


def call() -> int:
    """Owe each owner one mail, and send for it; returns how many."""
    owners = soon_to_go().order_by().values_list("owner_id", flat=True).distinct()[:MOST]
    return sum(map(_call, list(owners)))


def _call(owner_id: int) -> bool:
    job = soon_to_go().filter(owner_id=owner_id).order_by("wake_at", "pk").first()
    if job is None:
        return False
    job.owe(Notice.Kind.LAST_CALL)
    notify.delay(job.pk)
    return True
