"""Measurements that must be looked up: what rows tell of queues and of the way of a job."""

from datetime import datetime, timedelta

from django.db.models import DurationField, ExpressionWrapper, Min
from django.db.models.functions import Now
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
    for status, seconds in oldest_due().items():
        metrics.count(metrics.OLDEST_DUE, seconds, status=status)
    metrics.sqs_calls.tell()


def oldest_due() -> dict[str, float]:
    """Seconds that the step longest due has waited in each status that has one; at once counts too.

    By the clock of the database alone: a machine whose own is wrong must raise no alarm.
    """
    moving = (Status.QUEUED, Status.COMPLETED, Status.ARCHIVED, Status.THAWING, Status.RESTORING)
    due = Job.objects.due().filter(FREE, status__in=moving).order_by()
    waited = ExpressionWrapper(Now() - Min("wake_at"), output_field=DurationField())
    found = dict(due.values_list("status").annotate(waited=waited))
    return {each.value: found.get(each.value, timedelta(0)).total_seconds() for each in moving}


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
