"""Dead letters: sent again while that helps, then told to owner and staff; never a loop."""

import json
from typing import Any

import pytest
from django.db.models.functions import Now

from celeryconfig import QUEUES, THAWED
from gas.models import Alarm, Job, JobEvent, Status, User
from tasks.annotate import BROKE_DOWN
from tasks.dead_letters import GIVEN_UP, Step, step_of
from tasks.setbacks import BREAKDOWN, MOST_SETBACKS
from tasks.sweep import sweep
from tests.seams.letters import body_of
from tests.seams.world import World, read, state
from tests.unit.domain.rows import claimed, expire, job_in

#: Each task, the states in which its job is due, and what becomes of the job in the end.
STEPS = [
    ("annotate", Status.QUEUED, Status.FAILED),
    ("annotate", Status.RUNNING, Status.FAILED),
    ("archive", Status.COMPLETED, Status.ARCHIVING),
    ("archive", Status.ARCHIVING, Status.ARCHIVING),
    ("thaw", Status.ARCHIVED, Status.THAWING),
    ("thaw", Status.THAWING, Status.THAWING),
    ("restore", Status.RESTORING, Status.RESTORING),
]

GARBAGE = [
    "not JSON",
    "",
    "[]",
    "null",
    '{"Records": []}',
    "[" * 100_000,
    json.dumps({"body": "!", "headers": {"task": "annotate"}}),
    json.dumps({"body": "e30=", "headers": {"task": "annotate"}}),
    json.dumps({"body": "W10=", "headers": []}),
    body_of("annotate"),
    body_of("annotate", "1"),
    body_of("annotate", True),
    body_of("annotate", 1, 2),
    body_of("annotate", -1),
    body_of("annotate", 10**30),
    body_of("annotate", 1, force=True),
    body_of("sweep", 1),
    body_of("deliver"),
    body_of("an_unknown_task", 1),
]


def last_straw(job: Job) -> None:
    """Let one breakdown more be one too many."""
    Job.objects.filter(pk=job.pk).update(setbacks=MOST_SETBACKS - BREAKDOWN)


@pytest.fixture
def cast(owner: User, subscriber: User) -> dict[Status, User]:
    """Who owns a job that waits for its next step in each state."""
    return {status: subscriber if status is Status.ARCHIVED else owner for status in Status}


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_message_of_ours_is_not_taken_for_one(body: str) -> None:
    assert step_of(body) is None


@pytest.mark.parametrize(
    ("task", "args"), [("annotate", [7]), ("notify", [7]), ("deliver", [7]), ("sweep", [])]
)
def test_a_message_of_ours_is_read_as_the_worker_reads_it(
    world: World, task: str, args: list[Any]
) -> None:
    assert step_of(body_of(task, *args)) == Step(task, args[0] if args else None)


@pytest.mark.parametrize("body", GARBAGE[:5])
def test_what_fits_no_job_stays_for_staff_who_are_told_once(world: World, body: str) -> None:
    world.letters.post("annotate", body)
    for _ in range(3):
        world.letters.hidden.clear()
        sweep()
    assert world.letters.in_dead_letters("annotate") == [body]
    assert "gas-annotate-dead" in Alarm.objects.get().text
    assert world.broker.names() == []


def test_a_message_in_the_dead_letters_of_another_queue_is_foreign_there(
    world: World, owner: User
) -> None:
    job = job_in(Status.QUEUED, owner, sent_at=None)
    world.letters.post("thaw", body_of("annotate", job.pk))
    sweep()
    assert len(world.letters.in_dead_letters("thaw")) == 1
    assert read(job).setbacks == 0


@pytest.mark.parametrize(("task", "status", "_end"), STEPS)
def test_a_step_that_is_still_due_is_sent_again_and_the_breakdown_counted(
    world: World, cast: dict[Status, User], task: str, status: Status, _end: Status
) -> None:
    job = job_in(status, cast[status], sent_at=Now())
    world.letters.post(task, body_of(task, job.pk))
    sweep()
    assert (state(job), read(job).setbacks) == (status, BREAKDOWN)
    assert [message.args for message in world.broker.arrived(task)] == [(job.pk,)]
    assert world.letters.in_dead_letters(task) == []
    event = job.events.get()
    assert (event.actor, event.before, event.after, event.reason) == (
        "sweep",
        status,
        status,
        GIVEN_UP,
    )


@pytest.mark.parametrize(("task", "status", "end"), STEPS)
def test_one_breakdown_too_many_ends_the_step_with_a_word_to_staff(
    world: World, cast: dict[Status, User], task: str, status: Status, end: Status
) -> None:
    job = job_in(status, cast[status], sent_at=Now())
    last_straw(job)
    world.letters.post(task, body_of(task, job.pk))
    sweep()
    assert state(job) is end
    assert world.letters.in_dead_letters(task) == []
    assert Alarm.objects.get().job_id == job.pk
    if end is Status.FAILED:
        assert read(job).failure == BROKE_DOWN
        assert world.broker.deliver("notify") == "SUCCESS"
        assert world.post.sent == ["failed"]
    else:
        assert (read(job).is_stalled, read(job).trouble) == (True, GIVEN_UP)
    assert world.broker.names() == []


def test_three_dead_letters_fail_a_job_that_no_worker_can_begin(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.broker.lose()
    for _ in range(MOST_SETBACKS // BREAKDOWN):
        world.letters.post("annotate", body_of("annotate", job.pk))
        sweep()
        world.broker.lose()
    assert (state(job), read(job).failure) == (Status.FAILED, BROKE_DOWN)


def test_a_lost_lease_is_no_hindrance(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.broker.lose()
    claimed(job, Status.RUNNING)
    expire(job)
    last_straw(job)
    world.letters.post("annotate", body_of("annotate", job.pk))
    sweep()
    assert state(job) is Status.FAILED


@pytest.mark.parametrize("task", ["annotate", "archive", "thaw", "restore"])
@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_an_old_message_of_an_ended_job_is_dropped(
    world: World, owner: User, task: str, status: Status
) -> None:
    job = job_in(status, owner, wake_at=None)
    before = Job.objects.values().get(pk=job.pk)
    world.letters.post(task, body_of(task, job.pk))
    sweep()
    assert world.letters.in_dead_letters(task) == []
    assert Job.objects.values().get(pk=job.pk) == before
    assert not JobEvent.objects.exists()
    assert world.broker.names() == []


def test_an_old_message_of_a_job_that_another_worker_holds_is_dropped(
    world: World, owner: User
) -> None:
    job = job_in(Status.QUEUED, owner)
    claimed(job, Status.RUNNING)
    world.letters.post("annotate", body_of("annotate", job.pk))
    sweep()
    assert (world.letters.in_dead_letters("annotate"), read(job).setbacks) == ([], 0)
    assert world.broker.names() == []


def test_messages_of_deleted_jobs_and_late_sweeps_are_dropped(world: World) -> None:
    world.letters.post("annotate", body_of("annotate", 999))
    world.letters.post("notify", body_of("notify", 999))
    world.letters.post("sweep", body_of("sweep"))
    sweep()
    assert not any(world.letters.lying.values())
    assert world.broker.names() == []


def test_mails_that_cannot_be_sent_are_told_to_staff(world: World, owner: User) -> None:
    job = job_in(Status.FAILED, owner, wake_at=None)
    for _ in range(2):
        world.letters.post("notify", body_of("notify", job.pk))
        sweep()
    assert Alarm.objects.get().job_id == job.pk


def test_a_sweeper_that_dies_over_a_letter_leaves_it_to_the_next(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.queued(owner)
    world.broker.lose()
    last_straw(job)
    world.letters.post("annotate", body_of("annotate", job.pk))
    with monkeypatch.context() as patch:
        patch.setattr("gas.storage.queues.delete", _dies)
        with pytest.raises(KeyboardInterrupt):
            sweep()
    world.letters.hidden.clear()
    sweep()
    assert state(job) is Status.FAILED
    assert world.letters.in_dead_letters("annotate") == []
    assert Alarm.objects.count() == 1


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_good_day_asks_each_queue_once(world: World) -> None:
    sweep()
    asked = [url.rpartition("/")[2] for url in world.letters.asked]
    letters = [queue.dead_letter_name for queue in QUEUES.values()]
    assert sorted(asked) == sorted([*letters, THAWED.queue_name])


def test_many_foreign_letters_stand_before_no_other(world: World, owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    for number in range(35):
        world.letters.post("annotate", f"garbage {number}")
    world.letters.post("annotate", body_of("annotate", job.pk))
    sweep()
    assert read(job).setbacks == BREAKDOWN
    assert Alarm.objects.count() == 35
