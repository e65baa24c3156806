"""What operators do that keeps a job waiting, as its owner is told."""

from django.utils import timezone

from gas.models import Job, QueueState, Status
from gas.remembered import Remembered
from gas.services import maintenance
from tasks import pipeline

#: Seconds for which a process remembers which queues are paused: workers hear of it as soon.
KEPT = 2

QUEUED = "The queue is paused by the operators; your job keeps its place."
LATER = "The operators have paused this step; nothing is lost, and it goes on when they resume it."


def _read() -> frozenset[str]:
    return frozenset(QueueState.objects.exclude(paused_at=None).values_list("name", flat=True))


PAUSED = Remembered("paused-queues", KEPT, _read)


def is_paused(job: Job) -> bool:
    """Whether the task that a job waits for is one that no worker takes on now."""
    return pipeline.task_for(job.state) in PAUSED.value()


def told(job: Job) -> str:
    """Why a job waits that could go on, in a sentence; nothing when operators do not hold it."""
    if not _waits(job):
        return ""
    is_queued = job.state is Status.QUEUED
    if is_paused(job):
        return QUEUED if is_queued else LATER
    if is_queued and (found := maintenance.current()):
        return f"{found.message} Jobs go on meanwhile, and yours keeps its place."
    return ""


def _waits(job: Job) -> bool:
    """Whether a step is due of which no worker has taken hold."""
    now = timezone.now()
    is_held = job.lease_until is not None and job.lease_until > now
    if is_held or job.is_stalled:
        return False
    if job.state in (Status.COMPLETED, Status.ARCHIVED):
        return job.wake_at is not None and job.wake_at <= now
    return pipeline.task_for(job.state) is not None
