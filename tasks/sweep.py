"""sweep: rows nobody is working on become messages again; on a good day it resends nothing."""

import logging

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from gas.models import Discard, Job, Notice, Status
from gas.models.leases import FREE
from gas.storage import result_sets
from tasks import pipeline, turns
from tasks.app import app
from tasks.notify import notify

logger = logging.getLogger(__name__)

#: Rows of each kind that one sweep looks after; the next sweep takes the next.
MOST = 500


@app.task(name="sweep")
def sweep() -> None:
    """Heal, then send again whatever lost its message; one line in the log when there was any."""
    found = {
        "subscribers' archived jobs": heal_archived_of_subscribers(),
        "free users' jobs without a date": heal_completed_without_date(),
        "jobs without a message": resend(stranded_jobs()),
        "jobs whose turn it was": sum(map(turns.give_everybody, turns.LINES)),
        "mails without a message": remind(stranded_notices()),
        "files to destroy": result_sets.carry_out(stranded_discards()[:MOST]),
    }
    if any(found.values()):
        logger.warning("swept: %s", ", ".join(f"{n} {what}" for what, n in found.items() if n))


def stranded_jobs() -> QuerySet[Job]:
    """Due, held by no living worker, and long without a message; who waits in a line had none."""
    quiet = Now() - settings.RESEND_AFTER
    return (
        Job.objects.due()
        .filter(FREE, wake_at__lte=quiet)
        .filter(Q(sent_at=None) | Q(sent_at__lt=quiet))
        .exclude(sent_at=None, status__in=[line.waits for line in turns.LINES])
        .exclude(status=Status.COMPLETED, owner__plan__archives=False)
        .exclude(status=Status.ARCHIVED, owner__plan__archives=True)
        .order_by("wake_at")
    )


def stranded_notices() -> QuerySet[Notice]:
    """Mails that are owed for long and that nobody is sending."""
    return Notice.objects.unsent().filter(FREE, created_at__lt=Now() - settings.RESEND_AFTER)


def stranded_discards() -> QuerySet[Discard]:
    """Bytes that should be gone for long."""
    return Discard.objects.filter(created_at__lt=Now() - settings.RESEND_AFTER).order_by("pk")


def heal_archived_of_subscribers() -> int:
    """Wake archived jobs whose owners are subscribed; they miss what the upgrade did."""
    asleep = Job.objects.filter(status=Status.ARCHIVED, wake_at=None, owner__plan__archives=False)
    return asleep.update(wake_at=Now(), sent_at=None)


def heal_completed_without_date() -> int:
    """Give completed jobs of free users the date they lack since a downgrade."""
    undated = Job.objects.filter(status=Status.COMPLETED, wake_at=None, owner__plan__archives=True)
    return undated.update(wake_at=Now() + settings.DOWNGRADE_GRACE, sent_at=None)


def resend(jobs: QuerySet[Job]) -> int:
    """Send the next message of each job."""
    batch = list(jobs[:MOST])
    for job in batch:
        pipeline.send(job)
    return len(batch)


def remind(notices: QuerySet[Notice]) -> int:
    """Send the message that sends each mail."""
    ids = list(notices.values_list("job_id", flat=True).distinct()[:MOST])
    for job_id in ids:
        notify.delay(job_id)
    return len(ids)
