"""sweep: one test for each way to be stuck, and none of it on a good day."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now

from gas.models import IN_FLIGHT, Discard, Job, Notice, Status, User
from gas.storage.errors import StorageError, StorageUnavailable
from tasks import sweep as sweeping
from tasks import turns
from tasks.sweep import stranded_jobs, sweep
from tests.seams.world import World, read
from tests.unit.domain.rows import job_in

MOMENT = timedelta(seconds=5)
LONG_AGO = Now() - settings.RESEND_AFTER - MOMENT
LATELY = Now() - settings.RESEND_AFTER + timedelta(minutes=1)
SOON = Now() + timedelta(minutes=1)

MESSAGE = {
    Status.QUEUED: "annotate",
    Status.RUNNING: "annotate",
    Status.COMPLETED: "archive",
    Status.ARCHIVING: "archive",
    Status.ARCHIVED: "thaw",
    Status.THAWING: "thaw",
    Status.RESTORING: "restore",
}


@pytest.fixture
def cast(owner: User, subscriber: User) -> dict[Status, User]:
    """Who owns a job that waits for its next step in each state."""
    return {status: subscriber if status is Status.ARCHIVED else owner for status in Status}


def stuck(status: Status, owner: User, **columns: Any) -> Job:
    """A job that has been due for long, and whose message was lost."""
    usual = {"wake_at": LONG_AGO, "sent_at": LONG_AGO}
    return job_in(status, owner, **(usual | columns))


def given_up(place: str, **columns: Any) -> Discard:
    usual = {"kind": "object", "created_at": LONG_AGO}
    return Discard.objects.create(place=f"s3://gas-results/{place}", **(usual | columns))


def owed(job: Job, **columns: Any) -> Notice:
    usual = {"kind": "completed", "attempt": 1, "created_at": LONG_AGO}
    return Notice.objects.create(job=job, **(usual | columns))


@pytest.mark.parametrize("status", MESSAGE)
@pytest.mark.parametrize("sent_at", [LONG_AGO, None])
def test_a_job_that_lost_its_message_gets_another(
    world: World, cast: dict[Status, User], status: Status, sent_at: Any
) -> None:
    job = stuck(status, cast[status], sent_at=sent_at)
    sweep()
    assert [(m.task, m.args) for m in world.broker.arrived()] == [(MESSAGE[status], (job.pk,))]
    assert Job.objects.filter(pk=job.pk, sent_at__gt=Now() - MOMENT).exists()


@pytest.mark.parametrize("status", sorted(IN_FLIGHT))
def test_a_job_of_a_worker_that_fell_silent_gets_a_message(
    world: World, owner: User, status: Status
) -> None:
    stuck(status, owner, lease_owner="silent", lease_until=LONG_AGO)
    sweep()
    assert world.broker.names() == [MESSAGE[status]]


@pytest.mark.parametrize("status", MESSAGE)
def test_a_job_whose_message_may_still_arrive_is_left_alone(
    world: World, cast: dict[Status, User], status: Status
) -> None:
    stuck(status, cast[status], sent_at=LATELY)  # sent again lately
    if status not in {line.waits for line in turns.LINES}:
        stuck(status, cast[status], wake_at=LATELY, sent_at=None)  # due only lately
    stuck(status, cast[status], wake_at=SOON)
    sweep()
    assert world.broker.names() == []


def test_a_good_day_sends_nothing_changes_nothing_and_says_nothing(
    world: World, owner: User, subscriber: User, caplog: pytest.LogCaptureFixture
) -> None:
    stuck(Status.QUEUED, owner, sent_at=LATELY)
    stuck(Status.RUNNING, owner, lease_owner="alive", lease_until=SOON)
    job_in(Status.COMPLETED, owner, wake_at=SOON, sent_at=LATELY)
    job_in(Status.COMPLETED, subscriber, wake_at=None)
    stuck(Status.COMPLETED, subscriber)  # the date of an account that was free
    stuck(Status.ARCHIVING, owner, lease_owner="alive", lease_until=SOON)
    job_in(Status.ARCHIVED, owner, wake_at=None)
    stuck(Status.ARCHIVED, owner)  # the thaw of an account that was subscribed
    job_in(Status.THAWING, subscriber, wake_at=SOON)
    stuck(Status.RESTORING, subscriber, lease_owner="alive", lease_until=SOON)
    job_in(Status.CANCELLED, owner, wake_at=None)
    failed = job_in(Status.FAILED, owner, wake_at=None)
    owed(failed, kind="failed", sent_at=LONG_AGO)
    owed(failed, attempt=2, created_at=LATELY)
    owed(failed, attempt=3, lease_until=SOON)
    given_up("new", created_at=LATELY)
    rows = [list(model.objects.order_by("pk").values()) for model in (Job, Notice, Discard)]
    with caplog.at_level(logging.INFO):
        sweep()
    assert world.broker.names() == []
    assert rows == [list(model.objects.order_by("pk").values()) for model in (Job, Notice, Discard)]
    assert caplog.messages == []


def test_a_subscribers_archived_job_that_nobody_woke_is_thawed(
    world: World, subscriber: User
) -> None:
    job = job_in(Status.ARCHIVED, subscriber, wake_at=None)
    sweep()
    assert world.broker.names() == ["thaw"]
    assert world.broker.deliver("thaw") == "SUCCESS"
    assert read(job).state is Status.THAWING


def test_a_free_users_results_without_a_date_get_one_after_the_grace(
    world: World, owner: User
) -> None:
    job = job_in(Status.COMPLETED, owner, wake_at=None)
    sweep()
    grace = settings.DOWNGRADE_GRACE
    dated = Job.objects.filter(wake_at__gt=Now() + grace - MOMENT, wake_at__lte=Now() + grace)
    assert dated.get() == job
    assert world.broker.names() == []


def test_a_mail_that_lost_its_message_gets_another(world: World, owner: User) -> None:
    job = job_in(Status.COMPLETED, owner, wake_at=SOON, sent_at=LATELY)
    owed(job)
    owed(job, kind="restored", attempt=2, lease_until=LONG_AGO)
    sweep()
    assert [(m.task, m.args) for m in world.broker.arrived()] == [("notify", (job.pk,))]
    assert world.broker.deliver("notify") == "SUCCESS"
    assert sorted(world.post.sent) == ["completed", "restored"]


def test_what_was_given_up_long_ago_is_destroyed(world: World, owner: User) -> None:
    world.storage.kept["s3://gas-results/old"] = b""
    world.archive.copies["copy-1"] = b""
    given_up("old")
    Discard.objects.create(kind="archive", place="copy-1", created_at=LONG_AGO)
    sweep()
    assert (world.storage.kept, world.archive.copies) == ({}, {})
    assert not Discard.objects.exists()


def test_one_place_that_cannot_be_destroyed_does_not_hold_up_the_others(
    world: World, owner: User
) -> None:
    for name in ("a", "b", "c"):
        given_up(name)
    world.storage.fault = StorageError("access denied")
    sweep()
    assert [discard.place for discard in Discard.objects.all()] == ["s3://gas-results/a"]
    sweep()
    assert not Discard.objects.exists()


def test_while_storage_is_down_the_sweep_asks_it_once(world: World, owner: User) -> None:
    asked = []

    def down(place: str) -> None:
        asked.append(place)
        raise StorageUnavailable(place)

    world.storage.before_delete = down
    for name in ("a", "b", "c"):
        given_up(name)
    stuck(Status.QUEUED, owner)
    sweep()
    assert asked == ["s3://gas-results/a"]
    assert Discard.objects.count() == 3
    assert world.broker.names() == ["annotate"]


def test_a_sweep_looks_after_so_many_rows_and_the_next_after_the_next(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST", 2)
    waiting = [
        stuck(Status.QUEUED, owner, wake_at=LONG_AGO - timedelta(minutes=age)) for age in range(5)
    ]
    for job in waiting:
        owed(job)
        given_up(str(job.pk))
    for left in (3, 1, 0, 0):
        sweep()
        assert stranded_jobs().count() == Discard.objects.count() == left
    sent = [message.args[0] for message in world.broker.arrived("annotate")]
    assert sorted(sent) == [job.pk for job in waiting]
    assert set(sent[:2]) == {waiting[4].pk, waiting[3].pk}  # who waits longest comes first


def test_a_second_sweeper_sends_nothing_again(world: World, owner: User) -> None:
    stuck(Status.QUEUED, owner)
    sweep()
    sweep()
    assert world.broker.names() == ["annotate"]


def test_what_was_found_is_one_line_of_the_log(
    world: World, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    stuck(Status.QUEUED, owner)
    given_up("old")
    with caplog.at_level(logging.WARNING):
        sweep()
    assert caplog.messages == ["swept: 1 jobs without a message, 1 files to destroy"]


def test_the_sweep_is_a_message_like_any_other(world: World, owner: User) -> None:
    stuck(Status.QUEUED, owner)
    sweep.delay()
    assert world.broker.deliver("sweep") == "SUCCESS"
    assert world.broker.names() == ["annotate"]


def test_a_long_retention_is_one_message_sent_near_its_end(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "FREE_RETENTION", timedelta(days=7))
    job = world.queued(owner)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.broker.deliver("notify") == "SUCCESS"
    sweep.run()
    assert world.broker.names() == []
    Job.objects.filter(pk=job.pk).update(wake_at=Now() + timedelta(minutes=10))
    sweep.run()
    sweep.run()
    (message,) = world.broker.arrived()
    assert (message.task, message.wait) == ("archive", 0)
    assert 590 <= message.delay <= 600
