"""sweep: one test for each way to be stuck, and none of it on a good day."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.test import override_settings
from pytest_django import Settings

from gas.models import IN_FLIGHT, Alarm, Discard, Job, Notice, Status, Upload, User
from gas.services import jobs, uploads
from gas.services.uploads import UploadRefused
from gas.storage import queues
from gas.storage.errors import StorageError, StorageUnavailable
from gas.storage.locations import inputs
from gas.storage.result_sets import QUIET_TRIES
from tasks import app, turns
from tasks import sweep as sweeping
from tasks.stuck import stranded_jobs
from tasks.sweep import sweep
from tests.seams.fate import Killed
from tests.seams.world import VCF, World, read
from tests.unit.domain.rows import job_in
from tests.unit.mail.backends import Failing

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


@pytest.mark.parametrize("status", ["pending", "complete"])
def test_an_upload_that_nobody_submitted_in_time_goes(
    world: World, owner: User, status: str
) -> None:
    old, young = (
        Upload.objects.create(owner=owner, filename="a.vcf", status=status, size=5, give_up_at=at)
        for at in (LONG_AGO, SOON)
    )
    world.storage.kept = {str(inputs(upload.key)): VCF for upload in (old, young)}
    sweep()
    old.refresh_from_db()
    assert (old.status, old.refusal) == (Upload.Status.REFUSED, sweeping.UNSUBMITTED)
    assert list(world.storage.kept) == [str(inputs(young.key))]
    with pytest.raises(UploadRefused, match="in time"):
        jobs.submit(upload=old)


def test_the_parts_of_an_upload_that_broke_off_go_and_those_of_one_that_goes_on_stay(
    world: World, owner: User
) -> None:
    left, alive = (
        uploads.begin_parts(owner=owner, filename=name, size=9, first_bytes="5" * 64).upload
        for name in ("a", "b")
    )
    world.storage.coming[left.parts_id][1] = world.storage.coming[alive.parts_id][1] = VCF
    Upload.objects.update(give_up_at=LONG_AGO)
    uploads.part_link(upload=alive, number=1, sha256="5" * 64)
    sweep()
    assert set(world.storage.coming) == {alive.parts_id}
    with pytest.raises(UploadRefused, match="has ended"):
        uploads.part_link(upload=left, number=1, sha256="5" * 64)


def test_an_upload_with_a_job_is_never_given_up(world: World, owner: User) -> None:
    upload = uploads.begin(owner=owner, filename="a.vcf").upload
    world.storage.kept[str(inputs(upload.key))] = VCF
    jobs.submit(upload=upload)
    upload.refresh_from_db()
    assert upload.give_up_at is None
    Upload.objects.update(give_up_at=LONG_AGO)
    sweep()
    assert str(inputs(upload.key)) in world.storage.kept


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
    refused = Discard.objects.get()
    assert (refused.place, refused.tries) == ("s3://gas-results/a", 1)
    sweep()
    assert Discard.objects.exists()
    world.an_hour_passes()
    assert not Discard.objects.exists()


def test_many_places_that_cannot_be_destroyed_stand_before_no_others(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST", 3)

    def refuse(place: str) -> None:
        if "locked" in place:
            raise StorageError(place)

    world.storage.before_delete = refuse
    for name in ("locked-1", "locked-2", "locked-3", "free"):
        given_up(name)
    sweep()
    sweep()
    assert not Discard.objects.filter(place__endswith="free").exists()
    assert Discard.objects.count() == 3


def test_staff_are_told_of_a_place_that_is_never_destroyed(world: World) -> None:
    discard = given_up("locked", tries=QUIET_TRIES - 1)
    world.storage.fault = StorageError("access denied")
    sweep()
    assert str(discard) in Alarm.objects.get().text


def test_a_storage_that_hangs_until_the_sweep_is_over_keeps_no_alarm_from_staff(
    world: World,
) -> None:
    Alarm.raise_once("one", "Alarm")
    given_up("results/1/1/a")

    def hangs(place: str) -> None:
        raise Killed("after the time limit")

    world.storage.before_delete = hangs
    with pytest.raises(Killed):
        sweep()
    assert not Alarm.objects.filter(told_at=None).exists()


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


def test_while_a_queue_is_deep_its_jobs_only_wait_in_it(world: World, owner: User) -> None:
    for _ in range(3):
        stuck(Status.QUEUED, owner)
    world.letters.deeper = 3
    sweep()
    assert world.broker.names() == []


def test_mails_that_only_wait_in_a_deep_queue_make_it_no_deeper(world: World, owner: User) -> None:
    owed(job_in(Status.FAILED, owner))
    world.letters.deeper = 1
    sweep()
    assert world.broker.names() == []


def test_in_a_busy_queue_as_many_messages_are_sent_again_as_were_lost(
    world: World, owner: User
) -> None:
    oldest = stuck(Status.RUNNING, owner, wake_at=LONG_AGO - timedelta(hours=1))
    stuck(Status.QUEUED, owner)
    stuck(Status.QUEUED, owner, sent_at=LATELY, wake_at=LONG_AGO - timedelta(hours=2))
    stuck(Status.RUNNING, owner, lease_owner="alive", lease_until=SOON)
    world.letters.deeper = 2
    sweep()
    assert [(m.task, m.args) for m in world.broker.arrived()] == [("annotate", (oldest.pk,))]


def test_a_deep_queue_silences_no_other(world: World, owner: User) -> None:
    stuck(Status.QUEUED, owner)
    stuck(Status.ARCHIVING, owner)
    send = app.send_task
    for _ in range(2):
        send("annotate", [0])
    sweep()
    assert world.broker.names() == ["annotate", "annotate", "archive"]


def test_what_is_away_does_not_keep_the_sweep_from_the_rest(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any, **__: Any) -> int:
        raise StorageUnavailable("SQS is away")

    monkeypatch.setattr(queues, "depth", away)
    monkeypatch.setattr(queues, "receive", away)
    stuck(Status.QUEUED, owner)
    given_up("old")
    with caplog.at_level(logging.WARNING):
        sweep()
    assert not Discard.objects.exists()
    assert "jobs without a message have to wait: SQS is away" in caplog.messages


def test_of_two_sweepers_that_read_the_same_row_one_sends(world: World, owner: User) -> None:
    job = stuck(Status.QUEUED, owner)
    assert sweeping._send_again(job)
    assert not sweeping._send_again(job)
    assert world.broker.names() == ["annotate"]


def test_staff_get_one_mail_of_all_new_alarms_and_none_twice(
    world: World, owner: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.ADMINS = [("GAS staff", "operators@example.org")]
    for about in ("one", "two", "one"):
        Alarm.raise_once(about, f"Alarm {about}\r\nBcc: x@example.org")
    sweep()
    sweep()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["operators@example.org"], "[GAS] 2 alarms")
    assert "Alarm one Bcc: x@example.org" in mail.body
    assert "/admin/gas/alarm/" in mail.body


def test_an_alarm_that_could_not_be_mailed_is_mailed_later(
    world: World,
    mailoutbox: list[EmailMessage],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.ADMINS = [("GAS staff", "operators@example.org")]
    Alarm.raise_once("one", "Alarm")
    monkeypatch.setattr(Failing, "fault", OSError("no route"))
    with override_settings(EMAIL_BACKEND="tests.unit.mail.backends.Failing"):
        sweep()
    assert not Alarm.objects.exclude(told_at=None).exists()
    sweep()
    assert len(mailoutbox) == 1


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
