"""What staff can ask of a job: to take it on from where it is, or a sentence on why not."""

from django.db import models
from django.db.models.functions import Coalesce, Now
from django.template.defaultfilters import date, pluralize

from gas.commits import after_commit
from gas.models import IN_FLIGHT, AccountEvent, Failure, Job, JobEvent, Notice, Status, User
from gas.models.claims import AT_REST, WELL
from gas.models.leases import FREE
from gas.services import jobs, upkeep
from gas.services.staff.acts import STAFF, ActRefused
from gas.storage import removal, result_sets
from gas.storage.archive import Tier, get_archive
from tasks import pipeline, turns
from tasks.notify import notify


class Stage(models.TextChoices):
    """The stages of the pipeline, by the names of their tasks."""

    ANNOTATE = "annotate", "Annotate"
    NOTIFY = "notify", "Notify: send the mails that are owed"
    ARCHIVE = "archive", "Archive"
    THAW = "thaw", "Thaw: ask the archive"
    RESTORE = "restore", "Restore: copy back"


#: The states from which each stage is tried again.
FROM: dict[Stage, tuple[Status, ...]] = {
    Stage.ANNOTATE: (Status.QUEUED, Status.RUNNING, Status.FAILED),
    Stage.NOTIFY: tuple(Status),
    Stage.ARCHIVE: (Status.COMPLETED, Status.ARCHIVING),
    Stage.THAW: (Status.ARCHIVED, Status.THAWING),
    Stage.RESTORE: (Status.RESTORING,),
}

GONE = "It has gone already."
MOVED_ON = "It has moved on just now; please look again."


def retry(job: Job, *, stage: Stage, actor: User, reason: str) -> str:
    """Try a stage again now, whatever it waits for, unless a living worker is at it."""
    _refresh(job)
    if job.state not in FROM[stage]:
        ways = ", ".join(FROM[stage])
        raise ActRefused(f"It is {job.status}; {stage} is tried again from: {ways}.")
    if stage is Stage.NOTIFY:
        return _send_mails(job, actor, reason)
    if job.state is Status.FAILED:
        upkeep.run_again(job=job, actor=actor, reason=f"run again by staff: {reason}")
        return "It is queued again."
    _refuse_what_the_plan_decides(job)
    _wake(job, actor, reason)
    return f"The message for {stage} is on its way."


def _refuse_what_the_plan_decides(job: Job) -> None:
    archives = job.owner.plan.archives
    if job.state is Status.COMPLETED:
        if not archives:
            raise ActRefused("The results of this account stay at hand.")
        if not Job.objects.due().filter(pk=job.pk).exists():
            raise ActRefused("It is not due yet; Archive now does not wait for that.")
    if job.state is Status.ARCHIVED and archives and not job.thaw_tier:
        raise ActRefused("The results of this account stay in the archive; force a thaw instead.")


def _wake(job: Job, actor: User, reason: str) -> None:
    """Make the step due now, free of trouble, and send its message."""
    mine = Job.objects.filter(FREE, pk=job.pk, status=job.status)
    if not mine.update(**WELL, setbacks=0, wake_at=Now(), sent_at=Now()):
        _refresh(job)
        if job.lease_until is None:
            raise ActRefused(MOVED_ON)
        until = date(job.lease_until, "H:i:s")
        raise ActRefused(f"{job.lease_owner} is at it, and gives a sign of life before {until}.")
    _note(job, actor, f"{'mended' if job.trouble else 'sent again'}: {reason}")
    after_commit(pipeline.send, job)  # else the sweeper does


def _send_mails(job: Job, actor: User, reason: str) -> str:
    owed = job.notices.unsent().filter(FREE).count()
    if not owed:
        raise ActRefused("Every mail about it was sent, or is being sent.")
    _note(job, actor, f"sent again: {reason}")
    after_commit(notify.delay, job.pk)
    return f"{owed} mail{pluralize(owed)} will be sent."


def cancel(job: Job, *, actor: User, reason: str) -> str:
    """Stop a job that has not finished."""
    jobs.cancel(job=job, actor=actor, reason=f"cancelled by staff: {reason}")
    return "It is cancelled."


def archive_now(job: Job, *, actor: User, reason: str) -> str:
    """Move results to the archive before their time is over."""
    # An upgrade under way ends first, and is then seen.
    User.objects.select_for_update(of=("self",)).filter(pk=job.owner_id).first()
    at_hand = Job.objects.filter(pk=job.pk, status=Status.COMPLETED)
    if not at_hand.filter(owner__plan__archives=True).exists():
        _refresh(job)
        if job.state is Status.COMPLETED:
            raise ActRefused("The results of this account stay at hand.")
        raise ActRefused(f"It is {job.status}; only results at hand go to the archive.")
    if not at_hand.update(wake_at=Now(), sent_at=None):
        raise ActRefused(MOVED_ON)
    _note(job, actor, f"archived now: {reason}")
    turns.give_after_commit(turns.ARCHIVE, owner_id=job.owner_id)
    return "It moves to the archive now."


def force_thaw(job: Job, *, tier: Tier, actor: User, reason: str) -> str:
    """Ask archived results back at a tier, whatever the plan.

    On a plan that archives they stay as long as after a downgrade.
    """
    if tier not in get_archive().tiers():
        raise ActRefused(f"This archive has no tier {tier}.")
    archived = Job.objects.filter(FREE, pk=job.pk, status=Status.ARCHIVED)
    if not archived.update(thaw_tier=tier, wake_at=Now(), sent_at=None):
        _refresh(job)
        if job.state is Status.THAWING:
            raise ActRefused("The archive has been asked for it already.")
        raise ActRefused(f"It is {job.status}; only what is archived is asked back.")
    _note(job, actor, f"thawed by staff: {tier}: {reason}")
    turns.give_after_commit(turns.THAW, owner_id=job.owner_id)
    return f"It is asked back at tier {tier}."


def park(job: Job, *, actor: User, reason: str) -> str:
    """Put a job aside: one without results fails for now, one with results rests where it is."""
    _refresh(job)
    if job.state in (Status.QUEUED, Status.RUNNING):
        return _fail(job, actor, reason)
    if job.state not in IN_FLIGHT or job.is_stalled:
        raise ActRefused(f"It is {job.status} and rests already.")
    trouble = f"put aside by staff: {reason}"
    mine = Job.objects.filter(pk=job.pk, status=job.status)
    in_trouble = {"trouble": trouble, "troubled_at": Coalesce("troubled_at", Now())}
    if not mine.update(**AT_REST, **in_trouble):
        raise ActRefused(MOVED_ON)
    _note(job, actor, f"stalled: {trouble}")
    return f"It rests in {job.status} until it is put back."


def _fail(job: Job, actor: User, reason: str) -> str:
    failed = Job.objects.move(
        job.pk,
        job.state,
        Status.FAILED,
        actor=actor.username,
        reason=f"put aside by staff: {reason}",
        failure=f"Our staff put this job aside: {reason}",
        failure_kind=Failure.PARKED,
        completed_at=Now(),
        setbacks=0,
        attempt=models.F("attempt") + 1,  # else its mail would be one that was sent before
        **AT_REST,
        **WELL,
    )
    if not failed:
        raise ActRefused(MOVED_ON)
    job.refresh_from_db()
    job.owe(Notice.Kind.FAILED)
    after_commit(notify.delay, job.pk)
    turns.give_after_commit(turns.ANNOTATE, owner_id=job.owner_id)
    return "It has failed until it is put back, and its owner is told why."


def put_back(job: Job, *, actor: User, reason: str) -> str:
    """Go on with a job that was put aside, or whose trouble is over."""
    _refresh(job)
    if job.state is Status.FAILED and job.failure_kind == Failure.PARKED:
        upkeep.run_again(job=job, actor=actor, reason=f"put back by staff: {reason}")
        return "It is queued again."
    if not job.trouble:
        raise ActRefused(f"It is {job.status}, neither put aside nor in trouble.")
    if job.is_stalled:
        _wake(job, actor, reason)
        return f"It goes on in {job.status}."
    Job.objects.filter(pk=job.pk).update(**WELL, setbacks=0)
    _note(job, actor, f"mended: {reason}")
    return "Its trouble is noted as over."


def delete(job: Job, *, actor: User, reason: str) -> str:
    """Remove a job and all its bytes for good, and its input unless another job uses that."""
    number, upload_id, owner_id = job.pk, job.upload_id, job.owner_id
    if not removal.remove_job(job):
        raise ActRefused(GONE)
    removal.remove_unused(upload_id, job_id=number)
    AccountEvent.objects.create(
        account_id=owner_id, actor=STAFF, what=f"deleted job {number}: {reason}"
    )
    turns.give_after_commit(turns.ANNOTATE, owner_id=owner_id)
    after_commit(result_sets.destroy_given_up, number)
    return "It is deleted with all its files."


def _refresh(job: Job) -> None:
    try:
        job.refresh_from_db()
    except Job.DoesNotExist:
        raise ActRefused(GONE) from None


def _note(job: Job, actor: User, reason: str) -> None:
    """Tell it in the job's own history, which goes with the job."""
    JobEvent.objects.create(
        job=job, actor=actor.username, before=job.status, after=job.status, reason=reason
    )
