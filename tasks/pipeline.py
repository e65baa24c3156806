"""What message moves a job on, for whoever must send it: first or again."""

from celery import chain
from celery.canvas import Signature
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from gas.models import Job, Status
from tasks.annotate import annotate
from tasks.archive import archive
from tasks.notify import notify
from tasks.restore import restore
from tasks.thaw import thaw


class QueueUnavailable(Exception):
    """SQS could not be reached; what is due stays due."""


def next_message(job: Job) -> Signature | None:
    """The message for the step that a job in this state waits for; None when it waits for none."""
    match job.state:
        case Status.QUEUED | Status.RUNNING:
            return chain(annotate.si(job.pk), notify.si(job.pk))
        case Status.COMPLETED | Status.ARCHIVING:
            return archive.si(job.pk)
        case Status.ARCHIVED | Status.THAWING:
            return thaw.si(job.pk)
        case Status.RESTORING:
            return restore.si(job.pk)
        case _:
            return None


def send(job: Job) -> None:
    """Send the job's next message and remember when; a message too many is harmless.

    Raises QueueUnavailable when SQS does not take it; the sweeper sends it later.
    """
    if message := next_message(job):
        Job.objects.filter(pk=job.pk).update(sent_at=Now())
        try:
            message.apply_async()
        except OperationalError as error:
            raise QueueUnavailable(f"no message was sent for job {job.pk}") from error
