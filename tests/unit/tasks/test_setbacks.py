"""A storage that refuses for good: tried ever more patiently, then left to staff, nothing lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from gas.models import Alarm, Discard, Job, Status, User
from gas.patience import LONGEST_WAIT, wait_after
from gas.storage.errors import AccessRefused, ChecksumMismatch, ObjectMissing, StorageError
from tasks.annotate import BROKE_DOWN
from tasks.setbacks import MOST_SETBACKS
from tests.seams.fate import Fate, Killed
from tests.seams.world import World, read, state
from tests.unit.domain.rows import expire

Prepare = Callable[[World, User], Job]

#: Each step that has results in its hands, how a job gets there, and where it rests in trouble.
STEPS: dict[str, tuple[Prepare, Status]] = {
    "archive": (World.completed, Status.ARCHIVING),
    "thaw": (World.thawing, Status.THAWING),
    "restore": (World.restoring, Status.RESTORING),
}
EVERY_STEP = pytest.mark.parametrize("task", STEPS)


def deny(world: World, fault: BaseException | None) -> None:
    """Let every call of the archive end in this fault, or in none."""

    class Denying(Fate):
        def step(self, name: str) -> None:
            if fault and name.startswith("archive."):
                raise fault

    world.archive._fate = Denying()


def everything(world: World) -> tuple[dict[str, bytes], dict[str, bytes]]:
    return dict(world.storage.kept), dict(world.archive.copies)


@pytest.mark.parametrize(
    "fault",
    [AccessRefused("denied"), ChecksumMismatch("other"), ObjectMissing("?"), StorageError("odd")],
    ids=lambda fault: type(fault).__name__,
)
@EVERY_STEP
def test_a_refusal_is_tried_so_often_then_rests_with_its_reason_and_one_alarm(
    world: World, owner: User, task: str, fault: StorageError
) -> None:
    prepare, where = STEPS[task]
    job = prepare(world, owner)
    before = everything(world)
    deny(world, fault)
    waits = []
    for _ in range(MOST_SETBACKS - 1):
        assert world.broker.deliver(task) == "RETRY"
        message = world.broker.arrived(task)[0]
        waits.append(message.delay + message.wait)
        assert str(fault) in read(job).trouble
        assert not Alarm.objects.exists()
        world.hurry(job)
        message.headers["wait"] = None
    assert world.broker.deliver(task) == "IGNORED"
    resting = read(job)
    assert (resting.state, resting.is_stalled, resting.is_at_rest) == (where, True, True)
    assert world.broker.names() == []
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT.total_seconds()
    assert Alarm.objects.get().job_id == job.pk
    assert everything(world) == before
    assert not Discard.objects.exists()
    world.an_hour_passes()
    assert (world.broker.names(), state(job)) == ([], where)


@EVERY_STEP
def test_a_refusal_that_ends_leaves_no_trouble(world: World, owner: User, task: str) -> None:
    job = STEPS[task][0](world, owner)
    deny(world, AccessRefused("denied"))
    assert world.broker.deliver(task) == "RETRY"
    assert read(job).trouble
    deny(world, None)
    world.until_quiet()
    assert (read(job).trouble, read(job).troubled_at) == ("", None)
    assert state(job) in (Status.ARCHIVED, Status.COMPLETED)


@EVERY_STEP
def test_a_step_that_kills_its_worker_each_time_rests_too(
    world: World, owner: User, task: str
) -> None:
    prepare, where = STEPS[task]
    job = prepare(world, owner)
    before = everything(world)
    deny(world, Killed())
    for _ in range(MOST_SETBACKS):
        message = world.broker.take(task)
        with pytest.raises(Killed):
            world.broker.run(message)
        world.broker.waiting.append(message)
        expire(job)
    assert world.broker.deliver(task) == "IGNORED"
    assert (state(job), read(job).is_stalled) == (where, True)
    assert "lost" in Alarm.objects.get().text
    assert everything(world) == before


def test_a_job_without_results_fails_in_the_end(world: World, owner: User) -> None:
    job = world.queued(owner)
    for _ in range(MOST_SETBACKS):
        world.storage.fault = AccessRefused("denied")
        assert world.broker.deliver("annotate") == "RETRY"
        message = world.broker.arrived("annotate")[0]
        message.headers["wait"] = None
        world.hurry(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert (state(job), read(job).failure) == (Status.FAILED, BROKE_DOWN)


def test_waits_double_up_to_an_hour() -> None:
    first, second = wait_after(0), wait_after(1)
    assert second == 2 * first
    assert wait_after(10**6) == LONGEST_WAIT == timedelta(hours=1)
