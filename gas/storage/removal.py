"""Taking the rows of an account that its owner left, and giving up the bytes behind them."""

from django.db import transaction

from celeryconfig import LEASE
from gas.models import Job, Upload, User
from gas.storage import result_sets

#: After so long a worker that lost its job has noticed, or is gone.
UNTIL_NOTICED = 2 * LEASE


def remove_some(user: User, *, most: int) -> int:
    """Remove up to `most` jobs and uploads of an account that was left; returns how many.

    A worker that is on a job finds out. Jobs go first, so that nothing holds their uploads.
    """
    jobs = list(user.jobs.order_by("pk")[:most])
    for job in jobs:
        _remove_job(job)
    uploads = list(user.uploads.filter(jobs=None)[: most - len(jobs)])
    for upload in uploads:
        _remove_upload(upload)
    return len(jobs) + len(uploads)


@transaction.atomic
def _remove_job(job: Job) -> None:
    mine = Job.objects.select_for_update(of=("self",)).filter(pk=job.pk).first()
    if mine:
        result_sets.discard_everything(mine, wait=UNTIL_NOTICED)
        mine.delete()


@transaction.atomic
def _remove_upload(upload: Upload) -> None:
    mine = Upload.objects.select_for_update(of=("self",)).filter(pk=upload.pk).first()
    if mine:
        result_sets.discard_input(mine)
        mine.delete()
