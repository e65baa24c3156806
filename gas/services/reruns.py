"""Run a job again: a new job of the same file with the same settings."""

import logging

from django.db import transaction

from gas.models import Job, JobEvent, Status, Upload, User
from gas.services import limits, maintenance, reference, uploads
from gas.services.jobs import JobRefused
from gas.services.uploads import UploadRefused
from tasks import turns

logger = logging.getLogger(__name__)

UNFINISHED = (Status.QUEUED, Status.RUNNING)

#: The columns that are the settings of a job.
SETTINGS = ("name", "bundle", "notes")


def obstacle(job: Job) -> str:
    """One sentence on why a job cannot be run again whatever the plan allows, or nothing."""
    if job.state in UNFINISHED:
        return "The job has not finished yet."
    if job.upload.status == Upload.Status.REFUSED:
        return "The file has been deleted, because something is wrong with it."
    if job.upload.removed_at:
        return "The file is no longer kept."
    return ""


def rerun(*, job: Job, actor: User, newest: int | None = None) -> Job:
    """Queue a job like this one, once however often it is asked.

    `newest` is the newest job of the same file that the caller knows of: a newer one is the answer
    to the same question asked before. Without it, one that has not finished is. Raises JobRefused.
    """
    if job.owner_id != actor.pk:
        raise JobRefused("Only its owner can run a job again.")
    maintenance.admit(actor)
    with transaction.atomic():
        owner = User.objects.select_for_update(of=("self",)).get(pk=job.owner_id)
        try:
            uploads.hold(upload_id=job.upload_id)
        except UploadRefused as refusal:
            raise JobRefused(str(refusal)) from refusal
        current = Job.objects.select_related("upload").filter(pk=job.pk).first()
        if current is None:
            raise JobRefused("The job has been deleted.")
        if answered := _answered(current, newest):
            return answered
        again = _queued(current, owner)
    logger.info("job %s runs job %s again", again.pk, job.pk, extra={"job": again.pk})
    return again


def _answered(job: Job, newest: int | None) -> Job | None:
    of_file = job.upload.jobs.order_by("-pk")
    if newest is not None:
        return of_file.filter(pk__gt=newest).first()
    return of_file.filter(pk__gt=job.pk, status__in=UNFINISHED).first()


def _queued(job: Job, owner: User) -> Job:
    refusal = (
        obstacle(job)
        or limits.refusal_of(job.upload.size or 0, owner.limits)
        or limits.room_of(owner).hindrance_to(0)  # the file is here already, and counted
    )
    if refusal:
        raise JobRefused(refusal)
    try:
        reference.choose(job.bundle, assembly=job.upload.assembly)
    except reference.NoReference as missing:
        raise JobRefused(
            f"The reference of this job, {job.bundle}, is not on this server any more."
        ) from missing
    settings = {column: getattr(job, column) for column in SETTINGS}
    again = Job.objects.create(owner=owner, upload=job.upload, **settings)
    limits.count(owner)
    reason = f"job {job.pk} again"
    JobEvent.objects.create(job=again, actor=owner.username, after=Status.QUEUED, reason=reason)
    turns.give_after_commit(turns.ANNOTATE, owner_id=owner.pk)
    again.refresh_from_db()
    return again
