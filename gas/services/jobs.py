"""What a person can ask of a job."""

import json
import logging
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from gas import metrics
from gas.models import Discard, Job, JobEvent, ResultFile, Status, Upload, User
from gas.models.claims import AT_REST
from gas.services import limits, maintenance, reference, uploads
from gas.storage import objects, removal, result_sets
from gas.storage.locations import inputs, results
from tasks import turns

#: The example that everybody may annotate without a file of their own.
EXAMPLE = settings.ROOT / "annotator/bundles/demo-grch38/example.vcf"

#: Letters of a job's name that its downloads begin with, so that their extensions fit behind it.
LONGEST_STEM = 100

logger = logging.getLogger(__name__)


class JobRefused(Exception):
    """The job cannot be made or changed; the message is one sentence for its owner."""


class NotAtHand(JobRefused):
    """What is asked for has not been made yet, or is in the archive."""


def submit(*, upload: Upload, name: str = "", bundle: str = "", notes: str = "") -> Job:
    """Queue a job for an upload, once however often it is asked.

    `bundle` names an installed reference; without one the first is taken that fits the file.
    Raises UploadRefused when the file is no good, JobRefused when the plan allows no more.
    """
    maintenance.admit(upload.owner)
    uploads.check(upload=upload)
    with transaction.atomic():
        owner = User.objects.select_for_update(of=("self",)).get(pk=upload.owner_id)
        uploads.hold(upload_id=upload.pk)
        if existing := upload.jobs.first():
            return existing
        _refuse_beyond_plan(owner, upload)
        job = Job.objects.create(
            owner=owner,
            upload=upload,
            name=uploads.printable(name) or upload.filename,
            bundle=_reference_of(bundle, upload),
            notes=uploads.readable(notes),
        )
        Upload.objects.filter(pk=upload.pk).update(give_up_at=None)
        metrics.count(metrics.UPLOAD_BYTES, upload.size or 0)
        limits.count(owner)
        JobEvent.objects.create(job=job, actor=owner.username, after=Status.QUEUED)
        turns.give_after_commit(turns.ANNOTATE, owner_id=owner.pk)
    logger.info("job %s is made", job.pk, extra={"job": job.pk})
    job.refresh_from_db()
    return job


def example_upload(*, owner: User) -> Upload:
    """Make an upload of the example file."""
    upload = uploads.begin(owner=owner, filename=EXAMPLE.name).upload
    objects.publish(EXAMPLE, inputs(upload.key))
    return upload


def submit_example(*, owner: User) -> Job:
    """Queue a job for the example file."""
    upload = example_upload(owner=owner)
    try:
        return submit(upload=upload, name="Example")
    except JobRefused as refusal:  # nobody comes back to this copy
        uploads.refuse(upload=upload, sentence=str(refusal))
        raise


def _refuse_beyond_plan(owner: User, upload: Upload) -> None:
    if sentence := limits.room_of(owner, without=upload).hindrance_to(upload.size or 0):
        raise JobRefused(sentence)


def _reference_of(bundle: str, upload: Upload) -> str:
    try:
        return reference.name_of(reference.choose(bundle, assembly=upload.assembly))
    except reference.NoReference as refusal:
        raise JobRefused(str(refusal)) from refusal


def cancel(*, job: Job, actor: User, reason: str = "") -> None:
    """Stop a job that has not finished; a worker that is on it finds out and lets go."""
    with transaction.atomic():
        unfinished = (Status.QUEUED, Status.RUNNING)
        if not any(_stopped(job, before, actor, reason) for before in unfinished):
            raise JobRefused("The job has finished already.")
        result_sets.discard_prefix(job, wait=removal.UNTIL_NOTICED)
        turns.give_after_commit(turns.ANNOTATE, owner_id=job.owner_id)


def _stopped(job: Job, before: Status, actor: User, reason: str) -> bool:
    return Job.objects.move(
        job.pk,
        before,
        Status.CANCELLED,
        actor=actor.username,
        reason=reason,
        **AT_REST,
        completed_at=Now(),
    )


def cancel_all(*, jobs: Iterable[Job], actor: User) -> int:
    """Stop those of some jobs that have not finished; returns how many."""
    return sum(_cancelled(job, actor) for job in jobs)


def _cancelled(job: Job, actor: User) -> bool:
    try:
        cancel(job=job, actor=actor)
    except JobRefused:
        return False
    return True


def delete(*, job: Job, actor: User) -> None:
    """Remove a job of one's own and all its bytes, whatever it is at; a worker on it finds out.

    Its input goes with it unless another job uses that. JobRefused to anybody but its owner.
    """
    delete_all(jobs=[job], actor=actor)


def delete_all(*, jobs: Iterable[Job], actor: User) -> int:
    """Remove several; returns how many were there.

    Their bytes go when all rows are gone, so that storage that is down costs its patience once.
    """
    numbers = [job.pk for job in jobs if _removed(job, actor)]
    for number in numbers:
        logger.info("job %s was deleted by its owner", number)
    result_sets.carry_out(Discard.objects.due().filter(job_id__in=numbers))
    return len(numbers)


def _removed(job: Job, actor: User) -> bool:
    if job.owner_id != actor.pk:
        raise JobRefused("Only its owner can delete a job.")
    with transaction.atomic():
        if not removal.remove_job(job):
            return False
        removal.remove_unused(job.upload_id, job_id=job.pk)
        turns.give_after_commit(turns.ANNOTATE, owner_id=job.owner_id)
    return True


def bring_back(*, job: Job, actor: User) -> None:
    """Ask for results back from the archive, where a plan keeps them at hand; twice is fine.

    The upgrade asks for all; this is for one that it missed. JobRefused when there is no way back.
    """
    if job.state in (Status.COMPLETED, Status.THAWING, Status.RESTORING):
        return
    if job.state not in (Status.ARCHIVING, Status.ARCHIVED):
        raise JobRefused("The job has no results to bring back.")
    with transaction.atomic():
        asking = User.objects.select_for_update(of=("self",)).get(pk=actor.pk)
        if asking.plan.archives:  # by now: a downgrade under way ends first
            raise JobRefused(
                "Your plan keeps results in the archive; subscribe to bring them back."
            )
        asleep = Job.objects.filter(pk=job.pk, status=Status.ARCHIVED, wake_at=None)
        if asleep.update(wake_at=Now(), sent_at=None):
            JobEvent.objects.create(
                job=job,
                actor=actor.username,
                before=Status.ARCHIVED,
                after=Status.ARCHIVED,
                reason="asked back",
            )
        turns.give_after_commit(turns.THAW, owner_id=actor.pk)


CONTENT_TYPES = {
    ResultFile.Kind.VCF: "application/gzip",
    ResultFile.Kind.INDEX: "application/octet-stream",
    ResultFile.Kind.TSV: "application/gzip",
    ResultFile.Kind.PARQUET: "application/vnd.apache.parquet",
    ResultFile.Kind.SKIPPED: "text/tab-separated-values; charset=utf-8",
    ResultFile.Kind.SUMMARY: "application/json",
    ResultFile.Kind.LOG: "text/plain; charset=utf-8",
    ResultFile.Kind.PROVENANCE: "application/json",
}


def download_link(*, file: ResultFile) -> str:
    """Sign a link of at most five minutes; JobRefused while the file is in the archive."""
    if file.archive_id:
        raise NotAtHand("This file is in the archive; subscribe to bring it back.")
    return objects.presign_download(
        results(file.key),
        filename=saved_as(file),
        content_type=CONTENT_TYPES[ResultFile.Kind(file.kind)],
    )


def saved_as(file: ResultFile) -> str:
    """The name under which a browser saves a result."""
    return objects.saved_name(f"{file.job.name[:LONGEST_STEM]}.{file.name}")


def log_text(*, job: Job) -> str:
    """The annotation log of a completed job."""
    file = file_of(job, ResultFile.Kind.LOG)
    return objects.read_start(results(file.key)).decode("utf-8", errors="replace")


def summary(*, job: Job) -> dict[str, Any]:
    """The counts of a completed job, as the annotator wrote them."""
    file = file_of(job, ResultFile.Kind.SUMMARY)
    parsed: dict[str, Any] = json.loads(objects.read_start(results(file.key), file.size))
    return parsed


def file_of(job: Job, kind: ResultFile.Kind) -> ResultFile:
    """The file of a kind, of those that were read with the job if they were."""
    return next(file for file in job.files.all() if file.kind == kind)
