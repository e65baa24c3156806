"""restore: bring thawed results back to where they can be downloaded."""

from datetime import timedelta
from typing import Any

from celery import Task
from django.conf import settings
from django.db import transaction

from gas.models import Job, Notice, Status
from gas.storage import result_sets
from gas.storage.errors import NotThawed
from tasks import measures, turns
from tasks.app import app
from tasks.archive import due_after, retention_of, send_after
from tasks.leases import Heartbeat, working


@app.task(bind=True, name="restore")
def restore(self: Task[Any, Any], job_id: int) -> None:
    """Copy back and verify every file; the archived copies go after the job says completed."""
    with working(self, job_id, into=Status.RESTORING) as (job, heartbeat):
        try:
            _bring_back(job, heartbeat)
        except NotThawed as lapsed:
            _ask_again(job, reason=str(lapsed))
            return
        retention = _settle(job)
        measures.restored(job)
    send_after(job_id, retention)
    app.send_task("notify", [job_id])
    result_sets.destroy(job)
    turns.give(turns.THAW, owner_id=job.owner_id)


def _bring_back(job: Job, heartbeat: Heartbeat) -> None:
    for file in result_sets.archived(job):
        heartbeat.check()
        result_sets.bring_back(file, prefix=job.fresh_prefix)


def _ask_again(job: Job, *, reason: str) -> None:
    """Back to thaw, after a pause: the archive may have said that it was ready and not be."""
    job.advance(Status.THAWING, reason=reason, **due_after(settings.RETRY_AFTER))
    app.send_task("thaw", [job.pk], countdown=settings.RETRY_AFTER.total_seconds())


def _settle(job: Job) -> timedelta | None:
    """Record that the results are at hand again; returns when they move to the archive next."""
    with transaction.atomic():
        downgraded = retention_of(job) is not None
        retention = settings.DOWNGRADE_GRACE if downgraded else None
        result_sets.adopt_restored(job)
        job.owe(Notice.Kind.RESTORED)
        job.advance(
            Status.COMPLETED,
            result_prefix=job.fresh_prefix,
            thaw_tier="",
            **due_after(retention),
        )
    return retention
