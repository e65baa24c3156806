"""Turns: one owner's many jobs, and what they leave of the queue to others."""

from collections.abc import Callable

import pytest
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from gas.models import Job, Notice, Plan, Status, User
from gas.services import jobs, subscriptions
from gas.storage.errors import StorageUnavailable
from tasks import pipeline, turns
from tasks.sweep import sweep
from tests.seams.world import HOUR, World, read, state, upgrade
from tests.unit.domain.rows import job_in

Commit = DjangoCaptureOnCommitCallbacks

FREE_AT_ONCE = 2  # what the migration gives


def queue(world: World, owner: User, number: int = 1) -> list[Job]:
    """Jobs submitted by one owner, who is given what turns there are."""
    made = []
    for _ in range(number):
        made.append(world.submitted(owner))
        turns.give(turns.ANNOTATE, owner_id=owner.pk)
    return made


def started(world: World) -> list[int]:
    """The jobs in the order in which they began."""
    events = Job.objects.filter(events__after=Status.RUNNING).order_by("events__pk")
    return list(events.values_list("pk", flat=True))


def work_off(world: World) -> None:
    """One worker takes message after message, oldest first, until there are none."""
    while world.broker.arrived():
        world.broker.run(world.broker.waiting.pop(0))
        world.broker.waiting[:] = [m for m in world.broker.waiting if m.task == "annotate"]


def test_an_owner_has_as_many_messages_as_the_plan_runs_at_once(world: World, owner: User) -> None:
    queue(world, owner, 10)
    assert world.broker.names() == FREE_AT_ONCE * ["annotate"]


def test_each_job_that_ends_gives_the_next_its_turn(world: World, owner: User) -> None:
    made = queue(world, owner, 5)
    for begun in range(1, 6):
        assert world.broker.deliver("annotate") == "SUCCESS"
        left = min(FREE_AT_ONCE, 5 - begun)
        assert len(world.broker.arrived("annotate")) == left
    assert started(world) == [job.pk for job in made]


def test_however_a_job_ends_the_next_has_its_turn(world: World, owner: User) -> None:
    Plan.objects.update(max_running_jobs=1)
    first, second = queue(world, owner, 2)
    world.storage.kept.clear()  # the file was removed: the job fails
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert (state(first), state(second)) == (Status.FAILED, Status.QUEUED)
    assert [m.args for m in world.broker.arrived("annotate")] == [(second.pk,)]


def test_a_job_that_is_tried_again_keeps_its_turn(world: World, owner: User) -> None:
    Plan.objects.update(max_running_jobs=1)
    first, _ = queue(world, owner, 2)
    world.child.fault = StorageUnavailable("busy")
    assert world.broker.deliver("annotate") == "RETRY"
    sweep()
    assert [m.args for m in world.broker.arrived("annotate")] == [(first.pk,)]


@pytest.mark.parametrize("which", [0, 1])
def test_a_cancelled_job_gives_its_turn_on(
    world: World, owner: User, which: int, django_capture_on_commit_callbacks: Commit
) -> None:
    Plan.objects.update(max_running_jobs=1)
    made = queue(world, owner, 3)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.cancel(job=made[which], actor=owner)
    work_off(world)
    assert started(world) == [job.pk for job in made if job != made[which]]


def test_a_turn_that_was_lost_with_its_worker_is_given_by_the_sweep(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = queue(world, owner, 4)
    with monkeypatch.context() as patch:
        patch.setattr(turns, "give", lambda line, *, owner_id: 0)
        work_off(world)
    assert len(started(world)) == FREE_AT_ONCE
    sweep()
    work_off(world)
    assert started(world) == [job.pk for job in made]


def test_turns_do_not_depend_on_the_queue_being_there(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(job: Job, *, countdown: float) -> None:
        raise pipeline.QueueUnavailable("no queue")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "send", down)
        queue(world, owner, 3)
    world.an_hour_passes()
    assert len(world.broker.arrived("annotate")) == FREE_AT_ONCE


def test_anothers_first_job_is_the_next_to_begin(world: World, owner: User, stranger: User) -> None:
    Plan.objects.update(max_running_jobs=50)
    queue(world, owner, 200)
    for _ in range(3):
        world.broker.deliver("annotate")
    (theirs,) = queue(world, stranger)
    begun = len(started(world))
    while theirs.pk not in started(world):
        world.broker.run(world.broker.take("annotate"))
    assert started(world)[begun] == theirs.pk


def test_owners_take_turns_whatever_the_order_of_messages(
    world: World, owner: User, stranger: User, subscriber: User
) -> None:
    people = [owner, stranger, subscriber]
    for person in people:
        queue(world, person, 4)
    work_off(world)
    owners = dict(Job.objects.values_list("pk", "owner_id"))
    turn_of = [owners[pk] for pk in started(world)]
    assert all(len(set(turn_of[at : at + 3])) == 3 for at in range(0, 12, 3))


def test_somebody_whose_message_was_lost_holds_nobody_up_for_long(
    world: World, owner: User, stranger: User
) -> None:
    queue(world, owner, 3)
    world.broker.deliver("annotate")
    kept = [*world.broker.arrived()]
    queue(world, stranger)
    world.broker.lose()
    world.broker.waiting.extend(kept)
    work_off(world)
    assert len(started(world)) == 3


def test_a_message_gives_way_with_its_chain(world: World, owner: User, stranger: User) -> None:
    queue(world, owner, 2)
    world.broker.deliver("annotate")
    queue(world, stranger)
    world.broker.lose()
    pipeline.send(Job.objects.get(owner=owner, status=Status.QUEUED))
    assert world.broker.deliver("annotate") == "RETRY"
    pipeline.send(Job.objects.get(owner=stranger))
    world.until_quiet()
    assert Notice.objects.unsent().count() == 0
    assert world.post.sent == 3 * ["completed"]


def test_a_larger_plan_gives_more_turns_at_once(
    world: World, owner: User, django_capture_on_commit_callbacks: Commit
) -> None:
    queue(world, owner, 10)
    with django_capture_on_commit_callbacks(execute=True):
        subscriptions.activate(user=owner, customer_id="cus", provider_id="sub")
    premium = Plan.objects.get(pk=Plan.PREMIUM).max_running_jobs
    assert len(world.broker.arrived("annotate")) == premium > FREE_AT_ONCE


Prepare = Callable[[User], Job]


def asleep(owner: User) -> Job:
    return job_in(Status.ARCHIVED, owner, wake_at=None)


def overdue(owner: User) -> Job:
    return job_in(Status.COMPLETED, owner, wake_at=Now() - HOUR)


@pytest.mark.parametrize(
    ("line", "task", "prepare"),
    [(turns.THAW, "thaw", asleep), (turns.ARCHIVE, "archive", overdue)],
)
def test_many_jobs_go_to_and_come_from_the_archive_a_few_at_a_time(
    world: World, owner: User, subscriber: User, line: turns.Line, task: str, prepare: Prepare
) -> None:
    whose = subscriber if task == "thaw" else owner
    for _ in range(line.ahead + 5):
        prepare(whose)
    for _ in range(3):
        sweep()
        assert world.broker.names() == line.ahead * [task]


def test_a_subscriber_has_so_many_thaws_under_way_and_each_restore_begins_another(
    world: World, owner: User, settings: Settings
) -> None:
    settings.MOST_THAWS = 1
    made = [world.archived(owner) for _ in range(2)]
    world.archive.polls = 1
    upgrade(owner)
    Job.objects.update(wake_at=Now(), sent_at=None)
    sweep()
    assert world.broker.deliver("thaw") == "RETRY"
    sweep()
    assert [m.args for m in world.broker.arrived("thaw")] == [(made[0].pk,)]
    world.hurry(made[0])
    assert world.broker.deliver("thaw") == "SUCCESS"
    assert world.broker.deliver("restore") == "SUCCESS"
    assert [m.args for m in world.broker.arrived("thaw")] == [(made[1].pk,)]


def test_nobody_else_is_given_a_turn_by_it(world: World, owner: User, stranger: User) -> None:
    theirs = world.submitted(stranger)
    turns.give(turns.ANNOTATE, owner_id=owner.pk)
    assert (world.broker.names(), read(theirs).sent_at) == ([], None)


def test_each_owner_is_a_group_of_messages_however_they_are_sent(
    world: World, owner: User, stranger: User
) -> None:
    queue(world, owner)
    world.child.fault = StorageUnavailable("busy")
    assert world.broker.deliver("annotate") == "RETRY"
    queue(world, stranger)
    sweep.delay()
    groups = {m.args: m.properties.get("MessageGroupId") for m in world.broker.arrived()}
    jobs_of = {job.owner_id: job.pk for job in Job.objects.all()}
    assert groups == {
        (jobs_of[owner.pk],): str(owner.pk),
        (jobs_of[stranger.pk],): str(stranger.pk),
        (): None,
    }
