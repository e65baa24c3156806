"""archive: a free user's results move to the archive when their retention is over."""

from datetime import timedelta
from typing import Any

from celery import Task
from django.db import transaction
from django.db.models.functions import Now

from gas.models import Job, LeaseLost, Status, User
from gas.storage import result_sets
from tasks import measures, turns
from tasks.app import app
from tasks.delays import LONGEST_TIMER
from tasks.leases import working

#: The longest wait that one message carries.
TIMER = timedelta(seconds=LONGEST_TIMER)


@app.task(bind=True, name="archive")
def archive(self: Task[Any, Any], job_id: int) -> None:
    """Copy, verify and record every file; only then is the job archived and its files destroyed."""
    with working(self, job_id, into=Status.ARCHIVING) as (job, heartbeat):
        for file in result_sets.to_archive(job):
            heartbeat.check()
            result_sets.archive(file)
        due_at, wanted_back = job.wake_at, _settle(job)
        measures.archived(due_at)
    if wanted_back:
        app.send_task("thaw", [job_id])
    result_sets.destroy(job)
    turns.give(turns.ARCHIVE, owner_id=job.owner_id)


def _settle(job: Job) -> bool:
    """Record that the results are archived; True when their owner has subscribed meanwhile."""
    with transaction.atomic():
        wanted_back = retention_of(job) is None
        result_sets.discard_results(job)
        now_due: dict[str, Any] = {"wake_at": Now(), "sent_at": Now()} if wanted_back else {}
        job.advance(Status.ARCHIVED, archived_at=Now(), **now_due)
    return wanted_back


def retention_of(job: Job) -> timedelta | None:
    """How long the job's results stay at hand on the owner's plan of this moment; None is for ever.

    Inside a transaction: a change of plan waits for its end, and then sees what it did. LeaseLost
    when the account has gone, and its jobs before it.
    """
    # Two questions: joined to its plan, PostgreSQL finds no row whose plan changes while it waits.
    owner = User.objects.select_for_update(of=("self",)).filter(pk=job.owner_id).first()
    if owner is None:
        raise LeaseLost(f"job {job.pk} has gone with its account")
    return owner.retention


def due_after(retention: timedelta | None) -> dict[str, Any]:
    """The columns of a completed job by which its archiving is due; none for a subscriber's."""
    if retention is None:
        return {}
    return {"wake_at": Now() + retention, "sent_at": Now() if retention <= TIMER else None}


def send_after(job_id: int, retention: timedelta | None) -> None:
    """Send the message that archives a completed job when its retention is over.

    A longer retention than a timer of SQS is left to the sweeper, which sends it near the end.
    """
    if retention is not None and retention <= TIMER:
        archive.apply_async((job_id,), countdown=retention.total_seconds())
