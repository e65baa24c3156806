"""What message moves a job on, for whoever must send it: first or again."""

from celery import chain
from celery.canvas import Signature
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from gas.models import Job, Status
from tasks.app import app


class QueueUnavailable(Exception):
    """SQS could not be reached; what is due stays due."""


def task_for(state: Status) -> str | None:
    """The task that a job in a state waits for, which is the name of its queue too."""
    match state:
        case Status.QUEUED | Status.RUNNING:
            return "annotate"
        case Status.COMPLETED | Status.ARCHIVING:
            return "archive"
        case Status.ARCHIVED | Status.THAWING:
            return "thaw"
        case Status.RESTORING:
            return "restore"
        case _:
            return None


def next_message(job: Job) -> Signature | None:
    """The message for the step that a job in this state waits for; None when it waits for none."""
    task = task_for(job.state)
    if task is None:
        return None
    step = _step(task, job)
    return chain(step, _step("notify", job)) if task == "annotate" else step


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
