"""Taking the rows of jobs and uploads, and giving up the bytes behind them."""

from uuid import UUID

from django.db import transaction

from celeryconfig import LEASE
from gas.models import Job, JobEvent, Upload, User
from gas.storage import result_sets

#: After so long a worker that lost its job has noticed, or is gone.
UNTIL_NOTICED = 2 * LEASE


def remove_some(user: User, *, most: int) -> int:
    """Remove up to `most` jobs and uploads of an account that was left; returns how many.

    A worker that is on a job finds out. Jobs go first, so that nothing holds their uploads.
    """
    jobs = list(user.jobs.order_by("pk")[:most])
    for job in jobs:
        remove_job(job)
    uploads = list(user.uploads.filter(jobs=None)[: most - len(jobs)])
    for upload in uploads:
        remove_unused(upload.pk)
    return len(jobs) + len(uploads)


@transaction.atomic
def remove_job(job: Job) -> bool:
    """Remove a job, whatever it is at; False when it has gone already."""
    mine = Job.objects.select_for_update(of=("self",)).filter(pk=job.pk).first()
    if mine is None:
        return False
    result_sets.discard_everything(mine, wait=UNTIL_NOTICED)
    mine.delete()
    JobEvent.objects.filter(job_id=job.pk).delete()  # which the database lets go only now
    return True


@transaction.atomic
def remove_unused(upload_id: UUID, *, job_id: int | None = None) -> None:
    """Remove an upload unless a job uses it, or is being made of it while we wait for its row.

    `job_id` is the job that it is given up with.
    """
    upload = Upload.objects.select_for_update(of=("self",)).filter(pk=upload_id).first()
    if upload and not upload.jobs.exists():
        result_sets.discard_input(upload, job_id=job_id)
        upload.delete()
