"""Jobs written straight into the state that a test starts from."""

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from gas.models import Job, Status, Upload, User

LEASE = timedelta(minutes=2)

#: What the constraints of the table ask of a job in each state.
NEEDS: dict[Status, dict[str, Any]] = {
    Status.COMPLETED: {"result_prefix": "results/1/1/", "completed_at": Now()},
    Status.FAILED: {"failure": "The file is empty."},
    Status.ARCHIVED: {"archived_at": Now()},
    Status.THAWING: {"archived_at": Now()},
    Status.RESTORING: {"archived_at": Now()},
}


def job_in(status: Status, owner: User, **columns: Any) -> Job:
    """A due job in a state, held by nobody."""
    upload = Upload.objects.create(owner=owner, filename="cohort.vcf")
    usual = {"owner": owner, "upload": upload, "name": "Cohort", "bundle": "demo"}
    job = Job.objects.create(**usual, status=status, **NEEDS.get(status, {}), **columns)
    job.refresh_from_db()
    return job


def claim(job: Job, into: Status, *, worker: str = "worker") -> Job | None:
    """Claim a job for a worker."""
    return Job.objects.claim(job.pk, into=into, worker=worker, lease=LEASE)


def claimed(job: Job, into: Status, *, worker: str = "worker") -> Job:
    """Claim a job that is to be had."""
    held = claim(job, into, worker=worker)
    assert held is not None
    return held


def expire(job: Job) -> None:
    """Let the lease of a job run out."""
    Job.objects.filter(pk=job.pk).exclude(lease_until=None).update(
        lease_until=Now() - timedelta(seconds=1)
    )


def make_due(job: Job) -> None:
    """Let the next step of a job be due."""
    Job.objects.filter(pk=job.pk).update(wake_at=Now() - timedelta(seconds=1))
