"""What a person can ask of their account."""

from gas.models import User
from gas.services import jobs, uploads


def delete_data(*, user: User) -> None:
    """Remove every job and every file of an account, whatever they are at; the account stays."""
    for job in user.jobs.iterator():
        jobs.delete(job=job, actor=user)
    for upload in user.uploads.filter(jobs=None):
        uploads.delete(upload=upload)
