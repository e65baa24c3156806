"""thaw: ask the archive for a subscriber's results and wait for its answer, however long."""

from datetime import timedelta
from typing import Any

from celery import Task
from django.conf import settings

from gas.models import Status
from gas.storage import result_sets
from gas.storage.archive import Tier
from tasks.app import app
from tasks.leases import working
from tasks.restore import restore


@app.task(bind=True, name="thaw")
def thaw(self: Task[Any, Any], job_id: int) -> None:
    """Request what has not been requested, then poll; only the archive's answer ends the wait.

    The row says when the next poll is due before its message is sent, so that a second poller of
    the same job finds nothing due and ends.
    """
    with working(self, job_id, into=Status.THAWING) as (job, heartbeat):
        ready, tier = True, Tier(job.thaw_tier or Tier.EXPEDITED)
        for file in result_sets.archived(job):
            heartbeat.check()
            ready &= result_sets.thaw(file, tier=tier)
        if not ready:
            job.let_go(wake_in=settings.THAW_POLL, setbacks=-job.setbacks)  # all goes well
            raise self.retry(countdown=settings.THAW_POLL.total_seconds())
        job.let_go(wake_in=timedelta(0))
    restore.delay(job_id)
