"""What message moves a job on, for whoever must send it: first or again."""

from celery import chain
from celery.canvas import Signature
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from gas.models import Job, Status
from tasks.app import app


class QueueUnavailable(Exception):
    """SQS could not be reached; what is due stays due."""


def next_message(job: Job) -> Signature | None:
    """The message for the step that a job in this state waits for; None when it waits for none."""
    match job.state:
        case Status.QUEUED | Status.RUNNING:
            return chain(_step("annotate", job), _step("notify", job))
        case Status.COMPLETED | Status.ARCHIVING:
            return _step("archive", job)
        case Status.ARCHIVED | Status.THAWING:
            return _step("thaw", job)
        case Status.RESTORING:
            return _step("restore", job)
        case _:
            return None


def _step(task: str, job: Job) -> Signature:
    """A message by the name of its task: tasks send for the next jobs themselves."""
    return app.signature(task, args=(job.pk,), immutable=True)


def send(job: Job, *, countdown: float = 0.0) -> None:
    """Send the job's next message and remember when; a message too many is harmless.

    It arrives after `countdown` seconds. Raises QueueUnavailable when SQS does not take it; the
    sweeper sends it later.
    """
    if message := next_message(job):
        Job.objects.filter(pk=job.pk).update(sent_at=Now())
        try:
            message.apply_async(countdown=countdown)
        except OperationalError as error:
            raise QueueUnavailable(f"no message was sent for job {job.pk}") from error
