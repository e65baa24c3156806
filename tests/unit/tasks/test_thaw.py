"""thaw, with an archive that takes its time."""

import pytest
from django.conf import settings
from django.db.models.functions import Now

from gas.models import Job, ResultFile, Status, User
from gas.storage import result_sets
from gas.storage.archive import Tier
from gas.storage.errors import StorageUnavailable
from tasks import pipeline
from tests.seams.world import World, downgrade, read, state
from tests.unit.domain.rows import expire

POLL = settings.THAW_POLL
RETRY = settings.RETRY_AFTER.total_seconds()


def test_every_file_is_asked_for_and_what_was_granted_recorded(world: World, owner: User) -> None:
    world.archive.polls = 9
    job = world.thawing(owner)
    assert world.broker.deliver("thaw") == "RETRY"
    files = result_sets.archived(job)
    assert sorted(world.archive.requests) == sorted(file.archive_id for file in files)
    assert {file.retrieval_tier for file in files} == {"Expedited"}
    assert all(file.retrieval_id for file in files)


def test_the_row_says_when_the_next_poll_is_due_and_so_does_the_message(
    world: World, owner: User
) -> None:
    world.archive.polls = 9
    job = world.thawing(owner)
    assert world.broker.deliver("thaw") == "RETRY"
    waiting = Job.objects.filter(pk=job.pk, wake_at__gt=Now(), wake_at__lte=Now() + POLL)
    assert waiting.filter(status=Status.THAWING, lease_until=None).exists()
    assert world.broker.arrived("thaw")[0].delay == POLL.total_seconds()


def test_a_second_poller_finds_nothing_due_and_ends(world: World, owner: User) -> None:
    world.archive.polls = 9
    job = world.thawing(owner)
    for _ in range(3):
        pipeline.send(read(job))
    ended = [world.broker.deliver("thaw") for _ in range(4)]
    assert ended == ["RETRY", "IGNORED", "IGNORED", "IGNORED"]
    assert world.broker.names() == ["thaw"]


def test_polling_asks_for_nothing_twice_and_ends_when_the_archive_says_so(
    world: World, owner: User
) -> None:
    world.archive.polls = 3
    job = world.thawing(owner)
    polls = 0
    while world.broker.deliver("thaw") == "RETRY":
        world.hurry(job)
        polls += 1
    assert polls == 3
    assert len(world.archive.requests) == len(ResultFile.ARCHIVED_KINDS)
    assert world.broker.names() == ["restore"]
    assert state(job) is Status.THAWING
    assert world.broker.deliver("restore") == "SUCCESS"


def test_however_long_it_takes_a_thaw_is_never_given_up(world: World, owner: User) -> None:
    world.archive.polls = 50
    job = world.thawing(owner)
    for _ in range(30):
        assert world.broker.deliver("thaw") == "RETRY"
        world.hurry(job)
    assert (state(job), read(job).setbacks) == (Status.THAWING, 0)
    assert len(world.broker.arrived()) == 1


def test_a_retrieval_that_lapsed_is_asked_for_again(world: World, owner: User) -> None:
    world.archive.polls = 1
    job = world.thawing(owner)
    assert world.broker.deliver("thaw") == "RETRY"
    world.archive.lapse()
    world.hurry(job)
    assert world.broker.deliver("thaw") == "RETRY"
    assert len(world.archive.requests) == 2 * len(ResultFile.ARCHIVED_KINDS)
    world.until_quiet()
    assert state(job) is Status.COMPLETED


def test_a_fault_that_passes_is_tried_again_soon(world: World, owner: User) -> None:
    job = world.thawing(owner)
    world.archive.fault = StorageUnavailable("busy")
    assert world.broker.deliver("thaw") == "RETRY"
    assert world.broker.arrived("thaw")[0].delay == RETRY
    assert state(job) is Status.THAWING
    world.hurry(job)
    assert world.broker.deliver("thaw") == "SUCCESS"


def test_a_retrieval_whose_asker_died_before_recording_it_is_joined_and_recorded(
    world: World, owner: User
) -> None:
    world.archive.polls = 9
    job = world.thawing(owner)
    with world.on_trial():
        assert not world.dies("thaw", before=99)
    asked = world.fate.steps.index("archive.request_retrieval")
    assert world.dies("thaw", before=asked + 1)
    assert not job.files.exclude(retrieval_id="").exists()
    expire(job)
    assert world.broker.deliver("thaw") == "RETRY"
    assert all(file.retrieval_tier == "Expedited" for file in result_sets.archived(job))


def test_a_downgrade_before_the_thaw_leaves_the_results_in_the_archive(
    world: World, owner: User
) -> None:
    job = world.thawing(owner)
    downgrade(owner)
    assert world.broker.deliver("thaw") == "IGNORED"
    assert (state(job), world.archive.requests) == (Status.ARCHIVED, [])
    world.an_hour_passes()
    assert world.broker.names() == []


def test_a_downgrade_during_the_thaw_brings_the_results_back_all_the_same(
    world: World, owner: User
) -> None:
    world.archive.polls = 1
    job = world.thawing(owner)
    assert world.broker.deliver("thaw") == "RETRY"
    downgrade(owner)
    world.hurry(job)
    assert world.broker.deliver("thaw") == "SUCCESS"
    assert world.broker.deliver("restore") == "SUCCESS"
    assert state(job) is Status.COMPLETED
    assert read(job).wake_at is not None
    assert "archive" not in world.broker.names()  # the grace is long: the sweeper will send it


def test_a_worker_that_slept_records_no_retrieval_of_a_copy_that_is_gone(
    world: World, owner: User
) -> None:
    job = world.thawing(owner)
    stale = result_sets.archived(job)[0]
    world.until_quiet()
    assert state(job) is Status.COMPLETED
    world.archive.copies[stale.archive_id] = b"not destroyed yet"
    world.archive.lapse()
    asked = len(world.archive.requests)
    result_sets.thaw(stale, tier=Tier.EXPEDITED)
    assert len(world.archive.requests) == asked + 1
    assert not job.files.exclude(retrieval_id="").exists()


@pytest.mark.parametrize("times", [1, 2])
def test_an_early_poll_waits_once_more(world: World, owner: User, times: int) -> None:
    world.archive.polls = 9
    job = world.thawing(owner)
    world.broker.deliver("thaw")
    Job.objects.filter(pk=job.pk).update(wake_at=Now() + POLL / 600)
    for _ in range(times):
        assert world.broker.deliver("thaw") == "RETRY"
    world.hurry(job)
    assert world.broker.deliver("thaw") == "RETRY"
    assert world.broker.names() == ["thaw"]
