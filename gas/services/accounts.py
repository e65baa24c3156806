"""What a person can ask of their account."""

from gas.models import User
from gas.services import jobs, uploads
from gas.storage import result_sets


def delete_data(*, user: User) -> None:
    """Remove every job and every file of an account, whatever they are at; the account stays."""
    for job in user.jobs.iterator():
        jobs.delete(job=job, actor=user)
    for upload in user.uploads.filter(jobs=None):
        uploads.give_up(upload=upload)
        result_sets.destroy_input(upload)
