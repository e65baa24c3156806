"""What staff ask of jobs, in every state: it ends right, or is refused in a sentence."""

from functools import partial

import pytest
from django.core.exceptions import PermissionDenied

from gas.models import AccountEvent, Failure, Job, Notice, StaffAct, Status, Upload, User
from gas.services.staff import acts, jobs
from gas.services.staff.jobs import Stage
from tasks.sweep import sweep
from tests.seams.world import World, read, state
from tests.unit.domain.rows import claimed, job_in
from tests.unit.services.staff.conftest import VERBS, Asked

Q, R, C, F, X = (
    *(Status.QUEUED, Status.RUNNING, Status.COMPLETED, Status.FAILED),
    Status.CANCELLED,
)
ARCHIVING, ARCHIVED = Status.ARCHIVING, Status.ARCHIVED
THAWING, RESTORING = Status.THAWING, Status.RESTORING

#: Where each act leaves a due job of the free plan that nobody holds; what is missing is refused.
ENDS: dict[str, dict[Status, Status | None]] = {
    "retry annotate": {Q: Q, R: R, F: Q},
    "retry notify": {},
    "retry archive": {C: C, ARCHIVING: ARCHIVING},
    "retry thaw": {THAWING: THAWING},
    "retry restore": {RESTORING: RESTORING},
    "cancel": {Q: X, R: X},
    "archive_now": {C: C},
    "force_thaw": {ARCHIVED: ARCHIVED},
    "park": {Q: F, R: F, ARCHIVING: ARCHIVING, THAWING: THAWING, RESTORING: RESTORING},
    "put_back": {},
    "delete": dict.fromkeys(Status),
}

#: The message that each act sends, by the state that it finds.
SENDS = {
    "retry annotate": {Q: "annotate", R: "annotate", F: "annotate"},
    "retry archive": {C: "archive", ARCHIVING: "archive"},
    "retry thaw": {THAWING: "thaw"},
    "retry restore": {RESTORING: "restore"},
    "archive_now": {C: "archive"},
    "force_thaw": {ARCHIVED: "thaw"},
    "park": {Q: "notify", R: "notify"},
}


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("act", ENDS)
def test_an_act_ends_right_or_is_refused_and_both_are_written_down(
    world: World, owner: User, ask: Asked, act: str, status: Status
) -> None:
    job = job_in(status, owner)
    before = Job.objects.values().get(pk=job.pk)
    outcome = ask(act, job)
    written = StaffAct.objects.get()
    assert (written.act, written.kind, written.number) == (act, "job", str(job.pk))
    assert (written.actor, written.reason) == ("operator", "they asked")
    assert (written.done, written.outcome) == (outcome.done, outcome.sentence)
    assert outcome.done == (status in ENDS[act])
    assert outcome.sentence.endswith(".")
    if not outcome.done:
        assert Job.objects.values().get(pk=job.pk) == before
        assert (job.events.count(), world.broker.names()) == (0, [])
        return
    assert (
        Job.objects.filter(pk=job.pk).values_list("status", flat=True).first()
        == (ENDS[act][status])
    )
    assert world.broker.names() == [sent for sent in [SENDS.get(act, {}).get(status)] if sent]
    if act != "delete":
        event = job.events.get()
        assert (event.actor, event.before, event.after) == ("operator", status, ENDS[act][status])
        assert event.reason.endswith(": they asked")


@pytest.mark.parametrize("act", [act for act in VERBS if act.startswith("retry")])
@pytest.mark.parametrize("status", [R, ARCHIVING, THAWING, RESTORING])
def test_no_stage_is_tried_again_while_a_living_worker_is_at_it(
    world: World, owner: User, subscriber: User, ask: Asked, act: str, status: Status
) -> None:
    job = job_in(status, owner)
    claimed(job, status)
    outcome = ask(act, job)
    assert not outcome.done
    if status in jobs.FROM[Stage(act.removeprefix("retry "))] and act != "retry notify":
        assert "worker is at it" in outcome.sentence
    assert world.broker.names() == []


@pytest.mark.parametrize("status", [R, ARCHIVING, THAWING, RESTORING])
def test_a_worker_whose_job_is_put_aside_finds_that_it_has_lost_it(
    world: World, owner: User, ask: Asked, status: Status
) -> None:
    job = job_in(status, owner)
    held = claimed(job, status)
    assert ask("park", job).done
    assert not held._mine().exists()


def test_an_owner_is_told_each_time_that_a_job_is_put_aside(
    world: World, owner: User, ask: Asked
) -> None:
    job = job_in(Q, owner)
    Upload.objects.update(status="complete", size=1)
    for told in (["failed"], ["failed", "failed"]):
        assert ask("park", job).done
        assert world.broker.deliver("notify") == "SUCCESS"
        assert world.post.sent == told
        assert ask("put_back", job).done


@pytest.mark.parametrize("status", [Q, R, ARCHIVING, THAWING, RESTORING])
def test_what_was_put_aside_rests_through_every_sweep_until_it_is_put_back(
    world: World, owner: User, ask: Asked, status: Status
) -> None:
    job = job_in(status, owner)
    Upload.objects.update(status="complete", size=1)
    assert ask("park", job, reason="the disk is full").done
    assert "the disk is full" in (read(job).failure or read(job).trouble)
    world.broker.lose()
    world.an_hour_passes()
    assert [each.task for each in world.broker.arrived() if each.task != "notify"] == []
    assert not ask("park", job).done
    assert ask("put_back", job).done
    after = read(job)
    assert (after.trouble, after.failure, after.failure_kind) == ("", "", "")
    assert after.state is (Q if status in (Q, R) else status)
    assert after.wake_at is not None
    assert not ask("put_back", job).done


def test_a_job_that_was_put_aside_and_back_is_annotated_and_both_mails_are_sent(
    world: World, owner: User, ask: Asked
) -> None:
    job = world.queued(owner)
    ask("park", job)
    assert (read(job).failure_kind, state(job)) == (Failure.PARKED, F)
    assert world.broker.deliver("annotate") == "IGNORED"
    assert world.broker.deliver("notify") == "SUCCESS"
    ask("put_back", job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.broker.deliver("notify") == "SUCCESS"
    assert (state(job), world.post.sent) == (C, ["failed", "completed"])


def test_a_job_that_stalled_in_the_archive_comes_through_when_it_is_tried_again(
    world: World, owner: User, ask: Asked
) -> None:
    job = world.completed(owner)
    Job.objects.filter(pk=job.pk).update(
        status=ARCHIVING, trouble="denied", wake_at=None, setbacks=12
    )
    assert ask("retry archive", job).done
    assert (read(job).trouble, read(job).setbacks) == ("", 0)
    assert job.events.order_by("-pk")[0].reason == "mended: they asked"
    world.until_quiet()
    assert state(job) is ARCHIVED


def test_trouble_of_a_job_at_rest_is_only_noted_as_over(
    world: World, owner: User, ask: Asked
) -> None:
    job = job_in(ARCHIVED, owner, wake_at=None, trouble="missing")
    assert ask("put_back", job).done
    assert (read(job).trouble, read(job).wake_at, state(job)) == ("", None, ARCHIVED)
    assert world.broker.names() == []


def test_mails_that_are_owed_are_sent_and_none_is_sent_twice(
    world: World, owner: User, ask: Asked
) -> None:
    job = world.queued(owner)
    assert world.broker.deliver("annotate") == "SUCCESS"
    world.broker.lose()
    assert ask("retry notify", job).sentence == "1 mail will be sent."
    assert world.broker.deliver("notify") == "SUCCESS"
    assert not ask("retry notify", job).done
    assert world.post.sent == ["completed"]


def test_a_job_that_staff_delete_takes_its_bytes_and_its_history_and_its_owner_is_told(
    world: World, owner: User, ask: Asked
) -> None:
    job = world.archived(owner)
    assert ask("delete", job).done
    assert (Job.objects.count(), Upload.objects.count(), Notice.objects.count()) == (0, 0, 0)
    for _ in range(4):
        world.an_hour_passes()
    assert (world.storage.kept, world.archive.copies) == ({}, {})
    told = AccountEvent.objects.get()
    assert (told.actor, told.what) == ("staff", f"deleted job {job.pk}: they asked")
    assert StaffAct.objects.get().number == str(job.pk)
    assert ask("delete", job).sentence == "It has gone already."


@pytest.mark.parametrize("act", VERBS)
def test_a_job_that_has_gone_is_refused(world: World, owner: User, ask: Asked, act: str) -> None:
    job = job_in(Q, owner)
    Job.objects.filter(pk=job.pk).delete()
    assert not ask(act, job).done


@pytest.mark.parametrize(
    "columns", [{"is_staff": True}, {"is_superuser": True}, {"is_active": False}]
)
def test_who_may_not_act_does_nothing_and_leaves_no_trace(
    world: World, owner: User, columns: dict[str, bool]
) -> None:
    actor = User.objects.create_user("onlooker")
    rights = {"is_staff": True, "is_superuser": True} if "is_active" in columns else {}
    User.objects.filter(pk=actor.pk).update(**rights | columns)
    actor.refresh_from_db()
    job = world.queued(owner)
    verb = partial(jobs.cancel, actor=actor, reason="a")
    with pytest.raises(PermissionDenied):
        acts.perform("cancel", verb, [job], actor=actor, reason="a")
    assert state(job) is Q
    assert not StaffAct.objects.exists()


def test_what_breaks_half_way_is_neither_done_nor_written_down(
    world: World, owner: User, operator: User
) -> None:
    job = world.queued(owner)

    def breaks(row: Job) -> str:
        jobs.cancel(row, actor=operator, reason="a")
        raise ValueError("a fault of ours")

    with pytest.raises(ValueError, match="a fault of ours"):
        acts.perform("cancel", breaks, [job], actor=operator, reason="a")
    assert state(job) is Q
    assert not StaffAct.objects.exists()


def test_the_sweeper_sends_what_a_queue_that_is_away_did_not_take(
    world: World, owner: User, ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_in(THAWING, owner)
    with monkeypatch.context() as patch:
        patch.setattr("tasks.pipeline.send", lambda job: 1 / 0)
        assert ask("retry thaw", job).done
    assert world.broker.names() == []
    world.an_hour_passes()
    sweep.run()
    assert "thaw" in world.broker.names()
