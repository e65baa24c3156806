"""restore, with storage, archive and queues in memory."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from gas.models import Discard, Job, Notice, Status, User
from gas.storage.errors import ChecksumMismatch, StorageError, StorageUnavailable
from tasks import app
from tests.seams.world import World, downgrade, read, state
from tests.unit.domain.rows import expire
from tests.unit.tasks.test_archive import LARGE, at_hand, contents

RETRY = settings.RETRY_AFTER.total_seconds()


def test_the_results_come_back_to_a_new_place_and_the_archive_is_cleared(
    world: World, owner: User
) -> None:
    job = world.restoring(owner)
    before = contents(world, job)
    assert world.broker.deliver("restore") == "SUCCESS"
    back = read(job)
    assert (back.state, back.wake_at) == (Status.COMPLETED, None)
    assert contents(world, job) == before
    assert at_hand(world, job) == sorted(before)
    for file in job.files.filter(kind__in=["vcf", "index"]):
        assert file.key.startswith(back.result_prefix)
        assert (file.archive_id, file.retrieval_id, file.retrieval_tier) == ("", "", "")
    assert world.archive.copies == {}
    assert not Discard.objects.exists()


def test_the_owner_is_told_once_that_the_results_are_back(world: World, owner: User) -> None:
    job = world.restoring(owner)
    app.send_task("restore", [job.pk])
    assert world.broker.deliver("restore") == "SUCCESS"
    assert world.broker.deliver("restore") == "IGNORED"
    assert world.broker.deliver("notify") == "SUCCESS"
    assert world.post.sent == ["completed", "restored"]
    assert world.broker.names() == []


def test_who_has_downgraded_gets_the_results_back_for_a_while(world: World, owner: User) -> None:
    job = world.restoring(owner)
    downgrade(owner)
    assert world.broker.deliver("restore") == "SUCCESS"
    back = read(job)
    assert back.wake_at is not None
    assert back.wake_at - timezone.now() == pytest.approx(
        settings.DOWNGRADE_GRACE, abs=timedelta(minutes=1)
    )
    assert (back.sent_at, world.broker.arrived("archive")) == (None, [])


def test_a_retrieval_that_lapsed_before_the_copy_sends_the_job_back_to_thaw(
    world: World, owner: User
) -> None:
    job = world.restoring(owner)
    before = contents(world, job)
    world.archive.lapse()
    assert world.broker.deliver("restore") == "SUCCESS"
    assert (state(job), world.broker.names()) == (Status.THAWING, ["thaw"])
    assert world.broker.arrived()[0].delay == settings.RETRY_AFTER.total_seconds()
    assert job.events.filter(before=Status.RESTORING, after=Status.THAWING).count() == 1
    world.until_quiet()
    assert state(job) is Status.COMPLETED
    assert contents(world, job) == before
    assert at_hand(world, job) == sorted(before)


def test_a_restore_message_that_comes_before_the_thaw_is_over_does_no_harm(
    world: World, owner: User
) -> None:
    world.archive.polls = 2
    job = world.thawing(owner)
    before = contents(world, job)
    assert world.broker.deliver("thaw") == "RETRY"
    world.hurry(job)
    app.send_task("restore", [job.pk])
    assert world.broker.deliver("restore") == "SUCCESS"
    assert state(job) is Status.THAWING
    world.until_quiet()
    assert (state(job), contents(world, job)) == (Status.COMPLETED, before)


@pytest.mark.parametrize(
    "fault", [StorageUnavailable("busy"), OperationalError("the database restarts")]
)
def test_a_fault_that_passes_is_tried_again(world: World, owner: User, fault: Exception) -> None:
    job = world.restoring(owner)
    world.archive.fault = fault
    assert world.broker.deliver("restore") == "RETRY"
    assert world.broker.arrived("restore")[0].delay == RETRY
    assert state(job) is Status.RESTORING
    world.hurry(job)
    assert world.broker.deliver("restore") == "SUCCESS"


@pytest.mark.parametrize("fault", [ChecksumMismatch("other bytes"), StorageError("odd")])
def test_a_copy_that_is_not_right_destroys_nothing(
    world: World, owner: User, fault: StorageError
) -> None:
    job = world.restoring(owner)
    before = contents(world, job)
    world.archive.fault = fault
    assert world.broker.deliver("restore") == "RETRY"
    assert (state(job), contents(world, job)) == (Status.RESTORING, before)
    assert len(world.archive.copies) == len(LARGE)


def test_what_a_dead_restore_brought_back_goes_when_the_next_succeeds(
    world: World, owner: User
) -> None:
    job = world.restoring(owner)
    before = contents(world, job)
    dies_behind(world, "archive.bring_back")
    assert len(world.storage.under(job.prefix)) == len(before) - len(LARGE) + 1
    expire(job)
    assert world.broker.deliver("restore") == "SUCCESS"
    assert at_hand(world, job) == sorted(before)


def test_what_a_dead_restore_brought_back_goes_though_the_next_dies_after_its_end(
    world: World, owner: User
) -> None:
    job = world.restoring(owner)
    before = contents(world, job)
    dies_behind(world, "archive.bring_back")
    expire(job)
    dies_behind(world, "send notify")
    assert state(job) is Status.COMPLETED
    assert len(world.storage.under(job.prefix)) == len(before) + 1
    assert world.broker.deliver("restore") == "IGNORED"
    assert at_hand(world, job) == sorted(before)
    assert set(world.storage.under(job.prefix)) == {file.key for file in job.files.all()}


def dies_behind(world: World, step: str) -> None:
    """Deliver the restore to a worker that dies right behind a step's first time."""
    with world.on_trial():
        assert not world.dies("restore", before=99)
    assert world.dies("restore", before=world.fate.steps.index(step) + 1)


def test_an_archived_copy_that_cannot_be_destroyed_now_is_destroyed_by_a_sweep(
    world: World, owner: User
) -> None:
    job = world.restoring(owner)

    def refuse(_receipt: str) -> None:
        raise StorageUnavailable("busy")

    world.archive.before_delete = refuse
    assert world.broker.deliver("restore") == "SUCCESS"
    assert state(job) is Status.COMPLETED
    assert world.broker.names() == ["notify"]
    assert len(world.archive.copies) == Discard.objects.count() == len(LARGE)
    world.archive.before_delete = lambda receipt: None
    world.an_hour_passes()
    assert world.archive.copies == {}


def test_a_restored_job_is_archived_and_restored_again(world: World, owner: User) -> None:
    job = world.restoring(owner)
    before = contents(world, job)
    world.broker.deliver("restore")
    downgrade(owner)
    world.an_hour_passes()
    Job.objects.filter(pk=job.pk).update(wake_at=read(job).created_at)
    app.send_task("archive", [job.pk])
    assert world.broker.deliver("archive") == "SUCCESS"
    assert contents(world, job) == before
    first_place = f"archived:results/{job.pk}/1/"
    assert not any(file.archive_id.startswith(first_place) for file in job.files.all())
    assert Notice.objects.filter(kind=Notice.Kind.RESTORED).count() == 1
