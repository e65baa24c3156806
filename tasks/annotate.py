"""annotate: from the uploaded file to a verified result set."""

import json
import logging
from pathlib import Path
from typing import Any

from celery import Task
from celery.signals import worker_ready
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from annotator import child
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.outline import outline
from annotator.sandbox import Limits, Sandbox, foreseen
from celeryconfig import ANNOTATE_LIMIT
from gas.models import Alarm, Failure, Job, Notice, ResultFile, Status
from gas.storage import result_sets
from gas.storage.errors import ObjectMissing, ObjectReplaced
from tasks import measures, turns
from tasks.app import app
from tasks.archive import due_after, retention_of, send_after
from tasks.disk import disk_needed
from tasks.leases import Heartbeat, renew_connection, working
from tasks.progress import Teller
from tasks.scratch import scratch_folder
from tasks.setbacks import BREAKDOWN, LOST, MOST_SETBACKS

logger = logging.getLogger(__name__)

BROKE_DOWN = "The annotation broke down on our side. We have been told and are looking into it."


@worker_ready.connect(weak=False)
def tell_walls(**_: Any) -> None:
    """Say at start-up which walls stand, and loudly what this kernel leaves open."""
    walls = foreseen(Limits(memory_mb=settings.ANNOTATE_MEMORY_MB))
    logger.info("%s; GAS_SANDBOX is %s", walls, settings.SANDBOX)
    if walls.missing:
        logger.warning(
            "this kernel leaves %s open to the annotator; GAS_SANDBOX is %s",
            " and ".join(walls.missing),
            settings.SANDBOX,
        )


@app.task(bind=True, name="annotate")
def annotate(self: Task[Any, Any], job_id: int) -> None:
    """Annotate the job's upload; however it ends, the job says so and its owner is owed a mail."""
    if self.request.retries < turns.MOST_COURTESIES and turns.is_of_another(job_id):
        raise self.retry(countdown=0)  # to the end of the queue, behind those who wait
    with working(self, job_id, into=Status.RUNNING) as (job, heartbeat):
        turns.take(job)
        if job.setbacks >= MOST_SETBACKS:
            break_off(job, job.trouble or LOST)
        else:
            _try(self, job, heartbeat)
    result_sets.destroy(job)
    turns.give(turns.ANNOTATE, owner_id=job.owner_id)


def _try(task: Task[Any, Any], job: Job, heartbeat: Heartbeat) -> None:
    try:
        files, variants = _annotated(job, heartbeat)
    except InputRefused as refusal:
        _refuse(job, str(refusal))
    except AnnotatorFailed as failure:
        logger.warning("the annotator failed on job %s: %s", job.pk, outline(str(failure)))
        job.let_go(wake_in=settings.RETRY_AFTER, setbacks=BREAKDOWN)
        raise task.retry(countdown=settings.RETRY_AFTER.total_seconds()) from None
    else:
        _complete(job, files, variants)


def _annotated(job: Job, heartbeat: Heartbeat) -> tuple[list[ResultFile], int]:
    """Run the child on the upload, publish what it wrote, and tell how many records it read."""
    with disk_needed(), scratch_folder() as folder:
        source, outputs = folder / "input", folder / "results"
        outputs.mkdir()
        _fetch(job, source)
        child.run(
            source,
            outputs,
            bundle=settings.BUNDLE.with_name(job.bundle),
            wall_seconds=int(ANNOTATE_LIMIT.total_seconds()),
            memory_mb=settings.ANNOTATE_MEMORY_MB,
            sandbox=Sandbox(settings.SANDBOX),
            key=settings.PROVENANCE_KEY,
            workers=settings.ANNOTATE_WORKERS,
            correlation=job.correlation,
            on_tick=heartbeat.tick,
            on_progress=Teller(job, heartbeat),
        )
        heartbeat.check()
        _refuse_links(outputs)
        counts = json.loads((outputs / ResultFile.NAMES[ResultFile.Kind.SUMMARY]).read_bytes())
        return result_sets.publish(job, outputs), counts["records_in"]


def _refuse_links(outputs: Path) -> None:
    """What a child wrote that a hostile file took over could lead to any file of this machine."""
    if links := [path.name for path in outputs.rglob("*") if path.is_symlink()]:
        raise AnnotatorFailed(f"the annotator left links behind: {links}")


def _fetch(job: Job, source: Path) -> None:
    try:
        result_sets.fetch_input(job, source)
    except (ObjectReplaced, ObjectMissing):
        raise InputRefused("The file was removed or replaced after it was submitted.") from None


def _complete(job: Job, files: list[ResultFile], variants: int) -> None:
    renew_connection()  # the child may have run for hours
    with transaction.atomic():
        retention = retention_of(job)
        job.record_results(files)
        job.owe(Notice.Kind.COMPLETED)
        job.advance(
            Status.COMPLETED,
            result_prefix=job.fresh_prefix,
            variants=variants,
            completed_at=Now(),
            **due_after(retention),
        )
    measures.completed(job)
    send_after(job.pk, retention)


def _refuse(job: Job, sentence: str) -> None:
    """The file is no good and never will be: it goes, the sentence stays.

    The job is written before its upload, as by whoever deletes it: else each could wait for the
    other.
    """
    upload = job.upload
    with transaction.atomic():
        _fail(job, Failure.INPUT, sentence)
        upload.refuse(sentence)
        result_sets.discard_input(upload, job_id=job.pk)


def break_off(job: Job, trouble: str, sentence: str = BROKE_DOWN) -> None:
    """Admit that this annotation cannot be done on our side.

    `trouble` is what staff are told, `sentence` what its owner is.
    """
    with transaction.atomic():
        Alarm.raise_once(
            f"job {job.pk}, attempt {job.attempt}", f"Job {job.pk} failed: {trouble}", job=job
        )
        _fail(job, Failure.OURS, sentence)


def _fail(job: Job, kind: Failure, sentence: str) -> None:
    with transaction.atomic():
        job.owe(Notice.Kind.FAILED)
        job.advance(
            Status.FAILED,
            reason=sentence,
            failure=sentence,
            failure_kind=kind,
            completed_at=Now(),
        )
