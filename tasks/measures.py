"""Measurements that must be looked up: what rows tell of queues and of the way of a job."""

from datetime import datetime

from django.db.models import Min
from django.utils import timezone

from gas import metrics
from gas.models import Job, JobEvent, Status
from gas.models.leases import FREE
from tasks import depths


def tell(swept: dict[str, int]) -> None:
    """Tell what one sweep found, how deep the queues are, and what has waited longest."""
    if not metrics.are_on():
        return
    for part, found in swept.items():
        metrics.count(metrics.SWEEP_FINDINGS, found, part=part)
    for name, row in depths.states().items():
        levels = {
            metrics.QUEUE_DEPTH: row.visible,
            metrics.QUEUE_IN_FLIGHT: row.in_flight,
            metrics.DEAD_LETTERS: row.dead,
        }
        known = {metric: level for metric, level in levels.items() if level is not None}
        metrics.measure(known, queue=name)
    for status, since in _oldest().items():
        metrics.count(metrics.OLDEST_DUE, _seconds_since(since), status=status)
    metrics.sqs_calls.tell()


def _oldest() -> dict[str, datetime | None]:
    """Since when the step longest due waits, for each status that has one; at once counts too."""
    moving = (Status.QUEUED, Status.COMPLETED, Status.ARCHIVED, Status.THAWING, Status.RESTORING)
    due = Job.objects.due().filter(FREE, status__in=moving).order_by()
    found = dict(due.values_list("status").annotate(since=Min("wake_at")))
    return {status.value: found.get(status.value) for status in moving}


def _seconds_since(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0


def claimed(job: Job, task: str) -> None:
    """Tell how long a step has waited for its worker."""
    metrics.count(metrics.STEP_WAIT, _seconds_since(job.wake_at), task=task)


def completed(job: Job) -> None:
    """Tell how long a job took, from its submission on."""
    metrics.count(metrics.RESULT_TIME, _seconds_since(job.created_at))


def archived(due_at: datetime | None) -> None:
    """Tell how long the archive took, from the day that it was due."""
    metrics.count(metrics.ARCHIVE_TIME, _seconds_since(due_at))


def restored(job: Job) -> None:
    """Tell how long the archive took to give results back, from the first question on."""
    if metrics.are_on():
        asked = JobEvent.objects.filter(job=job, before=Status.ARCHIVED, after=Status.THAWING)
        first = asked.order_by("-pk").values_list("at", flat=True).first()
        metrics.count(metrics.THAW_TIME, _seconds_since(first))
