"""What staff can ask: run a failed job again, redrive dead letters."""

from django.db import transaction
from django.db.models.functions import Now

from celeryconfig import QUEUES, Queue
from gas.models import Job, JobEvent, Notice, Status, User
from gas.models.claims import WELL
from gas.services import uploads
from gas.services.jobs import JobRefused
from gas.storage import queues
from gas.storage.queues import Letter
from tasks import depths, turns
from tasks.dead_letters import step_of

#: Messages that one redrive moves, and seconds for which it keeps them from others meanwhile.
MOST_MOVED = 1000
HIDDEN = 60


def run_again(*, job: Job, actor: User, reason: str = "run again by staff") -> None:
    """Queue a job once more that failed on our side; JobRefused when it cannot be."""
    with transaction.atomic():
        queued = Job.objects.move(
            job.pk,
            Status.FAILED,
            Status.QUEUED,
            actor=actor.username,
            reason=reason,
            failure="",
            failure_kind="",
            completed_at=None,
            wake_at=Now(),
            sent_at=None,
            setbacks=0,
            **WELL,
        )
        if not queued:
            raise JobRefused(f"Job {job.pk} has not failed.")
        try:  # the job before its file, as whoever deletes it
            uploads.hold(upload_id=job.upload_id)
        except uploads.UploadRefused as refusal:
            raise JobRefused(f"Job {job.pk} has no file any more.") from refusal
        job.notices.unsent().filter(kind=Notice.Kind.FAILED).delete()
        turns.give_after_commit(turns.ANNOTATE, owner_id=job.owner_id)


def dead_letters() -> dict[str, int]:
    """About how many messages rest in the dead-letter queue of each queue; raises StorageError."""
    return {name: queues.depth(queue.dead_letter_url) for name, queue in QUEUES.items()}


def redrive(*, queue: Queue, actor: str) -> int:
    """Put dead letters back into their queue, each copied before it is deleted; returns how many.

    It changes no job: what a message finds when it arrives decides, so that one of a failed job is
    dropped. Raises StorageError when SQS cannot be reached; calling again goes on.
    """
    moved = 0
    try:
        while moved < MOST_MOVED:
            letters = queues.receive(queue.dead_letter_url, hidden_for=HIDDEN)
            if not letters:
                break
            for letter in letters:
                queues.send(queue.url, letter)
                queues.delete(queue.dead_letter_url, letter)
                _record(letter, actor)
            moved += len(letters)
    finally:
        depths.forget(queue)
    return moved


def _record(letter: Letter, actor: str) -> None:
    step = step_of(letter.body)
    if step is None or step.number is None or step.task == "deliver":
        return
    job = Job.objects.filter(pk=step.number).first()
    if job is not None:
        JobEvent.objects.create(
            job=job, actor=actor, before=job.status, after=job.status, reason="redriven"
        )
