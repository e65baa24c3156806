"""Every way to be stuck that rows can tell, one query each; on a good day none finds anything."""

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from gas.models import Alarm, Discard, Job, Notice, Status, Upload
from gas.models.leases import FREE
from tasks import turns

QUIET = Now() - settings.RESEND_AFTER

#: Long without a message; a guard of the job's own columns, which holds when the row is written.
UNSENT_FOR_LONG = Q(sent_at=None) | Q(sent_at__lt=QUIET)


def awaited_jobs() -> QuerySet[Job]:
    """Due and held by no living worker: each has one message at least, unless it was lost.

    Who still waits in a line for its turn has none.
    """
    return (
        Job.objects.due()
        .filter(FREE)
        .exclude(sent_at=None, status__in=[line.waits for line in turns.LINES])
        .exclude(status=Status.COMPLETED, owner__plan__archives=False)
        .exclude(status=Status.ARCHIVED, owner__plan__archives=True, thaw_tier="")
    )


def stranded_jobs() -> QuerySet[Job]:
    """Awaited, and long without a message or a sign of life."""
    return awaited_jobs().filter(UNSENT_FOR_LONG, wake_at__lte=QUIET).order_by("wake_at", "pk")


def stranded_notices() -> QuerySet[Notice]:
    """Mails that are owed for long and that nobody is sending."""
    return Notice.objects.unsent().filter(FREE, created_at__lt=QUIET)


def stranded_discards() -> QuerySet[Discard]:
    """Bytes that should be gone for long."""
    return Discard.objects.due().filter(created_at__lt=QUIET)


def abandoned_uploads() -> QuerySet[Upload]:
    """Files, or parts of one, that nobody made a job in time."""
    return Upload.objects.filter(give_up_at__lte=Now(), jobs=None).order_by("give_up_at")


def archived_of_subscribers() -> QuerySet[Job]:
    """Archived jobs whose owners are subscribed, and that nobody has asked back."""
    return Job.objects.filter(status=Status.ARCHIVED, wake_at=None, owner__plan__archives=False)


def completed_without_date() -> QuerySet[Job]:
    """Results of free users that are never to move to the archive."""
    return Job.objects.filter(status=Status.COMPLETED, wake_at=None, owner__plan__archives=True)


def untold_alarms() -> QuerySet[Alarm]:
    """Alarms of which staff have had no mail."""
    return Alarm.objects.filter(told_at=None).order_by("pk")
