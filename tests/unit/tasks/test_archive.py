"""archive, with storage, archive and queues in memory."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models.functions import Now
from pytest_django import Settings

from gas.models import Discard, Job, ResultFile, Status, User
from gas.storage import result_sets
from gas.storage.errors import ChecksumMismatch, StorageError, StorageUnavailable
from gas.storage.locations import results
from tasks import pipeline
from tasks.leases import EARLY
from tests.seams.archives import FakeArchive
from tests.seams.world import World, downgrade, read, state, upgrade
from tests.unit.domain.rows import expire

RETRY = settings.RETRY_AFTER.total_seconds()
LARGE = [ResultFile.NAMES[kind] for kind in ResultFile.ARCHIVED_KINDS]


def contents(world: World, job: Job) -> dict[str, bytes]:
    """The bytes that the rows of a job lead to, wherever they are."""
    return {
        file.name: world.archive.copies[file.archive_id]
        if file.archive_id
        else world.storage.kept[str(results(file.key))]
        for file in job.files.all()
    }


def at_hand(world: World, job: Job) -> list[str]:
    """The names of the files that can be downloaded."""
    return sorted(key.rpartition("/")[2] for key in world.storage.under(job.prefix))


def test_the_large_files_move_and_the_small_ones_stay(world: World, owner: User) -> None:
    job = world.completed(owner)
    before = contents(world, job)
    assert world.broker.deliver("archive") == "SUCCESS"
    assert state(job) is Status.ARCHIVED
    assert contents(world, job) == before
    assert at_hand(world, job) == sorted(before.keys() - set(LARGE))
    assert len(result_sets.archived(job)) == len(LARGE) == len(world.archive.copies)
    assert not Discard.objects.exists()
    assert world.broker.names() == []


def test_a_second_message_archives_nothing_twice(world: World, owner: User) -> None:
    job = world.completed(owner)
    pipeline.send(read(job))
    world.archive = FakeArchive(world.storage, world.fate, numbered=True)
    assert world.broker.deliver("archive") == "SUCCESS"
    assert world.broker.deliver("archive") == "IGNORED"
    assert len(world.archive.copies) == len(ResultFile.ARCHIVED_KINDS)


def test_a_message_that_is_a_moment_early_waits_once_more(world: World, owner: User) -> None:
    job = world.completed(owner)
    Job.objects.filter(pk=job.pk).update(wake_at=Now() + timedelta(seconds=1))
    assert world.broker.deliver("archive") == "RETRY"
    assert world.broker.arrived("archive")[0].delay == EARLY.total_seconds()
    assert state(job) is Status.COMPLETED
    world.hurry(job)
    assert world.broker.deliver("archive") == "SUCCESS"


def test_a_fault_that_passes_is_tried_again_from_where_it_was(world: World, owner: User) -> None:
    job = world.completed(owner)
    world.archive = FakeArchive(world.storage, world.fate, numbered=True)
    with world.on_trial():
        assert not world.dies("archive", before=99)
    stores = [number for number, name in enumerate(world.fate.steps) if name == "archive.store"]
    assert world.dies("archive", before=stores[1])
    expire(job)
    world.archive.fault = StorageUnavailable("busy")
    assert world.broker.deliver("archive") == "RETRY"
    assert world.broker.arrived("archive")[0].delay == RETRY
    assert state(job) is Status.ARCHIVING
    world.hurry(job)
    assert world.broker.deliver("archive") == "SUCCESS"
    assert len(world.archive.copies) == len(ResultFile.ARCHIVED_KINDS)


@pytest.mark.parametrize("fault", [ChecksumMismatch("other bytes"), StorageError("odd")])
def test_a_copy_that_is_not_right_destroys_nothing(
    world: World, owner: User, fault: StorageError
) -> None:
    job = world.completed(owner)
    before = contents(world, job)
    world.archive.fault = fault
    assert world.broker.deliver("archive") == "RETRY"
    assert state(job) is Status.ARCHIVING
    assert contents(world, job) == before
    assert (world.storage.deleted, Discard.objects.count()) == ([], 0)


@pytest.mark.parametrize("fault", [StorageUnavailable("busy"), StorageError("odd")])
def test_a_file_that_cannot_be_destroyed_now_is_destroyed_by_a_sweep(
    world: World, owner: User, fault: StorageError
) -> None:
    job = world.completed(owner)

    def refuse(_place: str) -> None:
        raise fault

    world.storage.before_delete = refuse
    assert world.broker.deliver("archive") == "SUCCESS"
    assert state(job) is Status.ARCHIVED
    assert Discard.objects.count() == len(LARGE)
    world.storage.before_delete = lambda place: None
    world.an_hour_passes()
    assert not Discard.objects.exists()
    assert not set(at_hand(world, job)) & set(LARGE)


def test_who_subscribes_during_the_archiving_gets_everything_back(
    world: World, owner: User
) -> None:
    job = world.completed(owner)
    before = contents(world, job)
    world.archive.meanwhile = lambda: upgrade(owner)
    assert world.broker.deliver("archive") == "SUCCESS"
    assert state(job) is Status.ARCHIVED
    assert world.broker.names() == ["thaw"]
    assert world.broker.deliver("thaw") == "SUCCESS"
    assert state(job) is Status.THAWING
    world.until_quiet()
    assert state(job) is Status.COMPLETED
    assert contents(world, job) == before
    assert at_hand(world, job) == sorted(before)
    assert world.archive.copies == {}


@pytest.mark.parametrize("numbered", [False, True])
def test_a_worker_that_slept_until_the_results_were_back_records_no_receipt(
    world: World, owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, numbered: bool
) -> None:
    settings.FREE_RETENTION = timedelta(days=7)
    world.archive = FakeArchive(world.storage, world.fate, numbered=numbered)
    job = world.completed(owner)
    before = contents(world, job)
    stale = result_sets.to_archive(job)[0]
    receipt = "copy-99" if numbered else f"archived:{stale.key}"
    world.broker.deliver("archive")
    upgrade(owner)
    world.an_hour_passes()
    world.until_quiet()
    assert state(job) is Status.COMPLETED
    with monkeypatch.context() as patch:
        patch.setattr(world.archive, "store", lambda source, *, sha256, size: receipt)
        result_sets.archive(stale)
    assert result_sets.archived(job) == []
    assert Discard.objects.get().place == receipt
    downgrade(owner)
    world.hurry(job)
    pipeline.send(read(job))
    assert world.broker.deliver("archive") == "SUCCESS"
    world.an_hour_passes()
    assert contents(world, job) == before


def test_of_two_workers_that_copied_the_same_file_the_slower_gives_its_copy_up(
    world: World, owner: User
) -> None:
    world.archive = FakeArchive(world.storage, world.fate, numbered=True)
    job = world.completed(owner)
    faster, slower = result_sets.to_archive(job)[0], result_sets.to_archive(job)[0]
    result_sets.archive(faster)
    result_sets.archive(slower)
    assert [file.archive_id for file in result_sets.archived(job)] == ["copy-1"]
    assert Discard.objects.get().place == "copy-2"


def test_of_two_workers_with_one_receipt_nobody_gives_the_copy_up(
    world: World, owner: User
) -> None:
    job = world.completed(owner)
    faster, slower = result_sets.to_archive(job)[0], result_sets.to_archive(job)[0]
    result_sets.archive(faster)
    result_sets.archive(slower)
    assert [file.archive_id for file in result_sets.archived(job)] == [f"archived:{faster.key}"]
    assert not Discard.objects.exists()
