"""The thread that keeps a lease alive, and finds it lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection

from celeryconfig import QUEUES, Queue
from gas.models import Job, LeaseLost, Status, User
from gas.services import jobs
from tasks import leases
from tasks.annotate import annotate
from tasks.leases import Heartbeat, Stalled
from tasks.setbacks import BREAKDOWN
from tests.seams.world import World, read, state
from tests.unit.domain.rows import claimed, job_in

SHORT = timedelta(seconds=0.6)
PATIENCE = 60  # seconds


@pytest.fixture(autouse=True)
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", SHORT)


@pytest.fixture
def held(owner: User) -> Job:
    return claimed(job_in(Status.QUEUED, owner), Status.RUNNING)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        threading.Event().wait(0.01)


def lost(heartbeat: Heartbeat) -> bool:
    try:
        heartbeat.tick()
    except LeaseLost:
        return True
    except Stalled:
        return False
    return False


def stalled(heartbeat: Heartbeat) -> bool:
    try:
        heartbeat.tick()
    except Stalled:
        return True
    return False


def _goes_on(heartbeat: Heartbeat) -> bool:
    heartbeat.progress()
    heartbeat.tick()
    return True


def lease_of(job: Job) -> datetime:
    until = read(job).lease_until
    assert until is not None
    return until


def test_a_lease_is_renewed_again_and_again_while_the_work_goes_on(held: Job) -> None:
    with Heartbeat(held, annotate) as heartbeat:
        first = lease_of(held)
        until(lambda: lease_of(held) not in (first,))
        second = lease_of(held)
        until(lambda: lease_of(held) > second)
        heartbeat.check()
    assert not [t for t in threading.enumerate() if t.name == "heartbeat"]


def test_short_work_costs_no_renewal_and_no_request(
    held: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lease_of(held)
    with hidden_by(held, monkeypatch) as (heartbeat, hidden):
        heartbeat.check()
    assert (lease_of(held), hidden) == (before, [])


def test_a_worker_learns_that_its_job_was_cancelled(held: Job, owner: User) -> None:
    with Heartbeat(held, annotate) as heartbeat:
        heartbeat.check()
        jobs.cancel(job=held, actor=owner)
        until(lambda: lost(heartbeat))
    assert state(held) is Status.CANCELLED


@pytest.mark.parametrize("fault", [OperationalError("locked"), InterfaceError("closed")])
def test_a_lease_that_cannot_be_renewed_in_time_is_given_up_for_lost(
    held: Job, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(_claim: Job, _lease: timedelta) -> None:
        raise fault

    monkeypatch.setattr(Job, "renew", fail)
    with Heartbeat(held, annotate) as heartbeat:
        heartbeat.check()  # one beat may fail
        until(lambda: lost(heartbeat))


@pytest.mark.parametrize("fault", [OperationalError("locked"), InterfaceError("closed")])
def test_a_database_that_is_away_for_a_beat_costs_nothing(
    held: Job, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    renew, faults = Job.renew, [fault]

    def renewed(claim: Job, lease: timedelta) -> None:
        if faults:
            raise faults.pop()
        renew(claim, lease)

    monkeypatch.setattr(Job, "renew", renewed)
    before = lease_of(held)
    with Heartbeat(held, annotate) as heartbeat:
        until(lambda: lease_of(held) != before)
        heartbeat.check()


def test_the_message_is_kept_hidden_with_every_beat(
    held: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout = QUEUES["annotate"].visibility_timeout
    with hidden_by(held, monkeypatch) as (_, hidden):
        until(lambda: len(hidden) >= 2)
    assert set(hidden) == {("annotate", "receipt-1", timeout)}


def test_a_message_is_hidden_up_to_the_limit_of_sqs_and_the_lease_goes_on(
    held: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout = QUEUES["annotate"].visibility_timeout
    monkeypatch.setattr(leases, "LONGEST_HIDDEN", timedelta(seconds=timeout + 2))
    with hidden_by(held, monkeypatch) as (heartbeat, hidden):
        until(lambda: len(hidden) >= 2)
        assert hidden[0][2] == 1
        count = len(hidden)
        first = lease_of(held)
        until(lambda: lease_of(held) > first + timedelta(seconds=2))
        assert len(hidden) <= count + 3  # a second's beats, and not one more
        heartbeat.check()


def test_work_that_hangs_keeps_neither_its_lease_nor_its_message(
    held: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "STALL_LIMIT", timedelta(seconds=1))
    with hidden_by(held, monkeypatch) as (heartbeat, hidden):
        until(lambda: stalled(heartbeat))
        beats, lease = len(hidden), lease_of(held)
        until(lambda: lost(heartbeat))
    assert (len(hidden), lease_of(held)) == (beats, lease)


def test_work_that_tells_of_progress_goes_on(held: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "STALL_LIMIT", timedelta(seconds=0.3))
    with hidden_by(held, monkeypatch) as (heartbeat, hidden):
        until(lambda: _goes_on(heartbeat) and len(hidden) > 5)


def test_an_annotation_that_hangs_is_stopped_counted_and_tried_again(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.queued(owner)

    def hang() -> None:
        raise Stalled("no progress")

    world.child.meanwhile = hang
    assert world.broker.deliver("annotate") == "RETRY"
    assert (state(job), read(job).setbacks, read(job).lease_until) == (
        Status.RUNNING,
        BREAKDOWN,
        None,
    )


@contextmanager
def hidden_by(
    held: Job, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Heartbeat, list[tuple[str, str, int]]]]:
    """A heartbeat, and what it asked of SQS."""
    hidden: list[tuple[str, str, int]] = []

    def keep_hidden(queue: Queue, *, receipt: str, seconds: int) -> None:
        hidden.append((queue.name, receipt, seconds))

    monkeypatch.setattr(leases, "keep_hidden", keep_hidden)
    annotate.push_request(properties={"delivery_tag": "receipt-1"})
    try:
        with Heartbeat(held, annotate) as heartbeat:
            yield heartbeat, hidden
    finally:
        annotate.pop_request()


def test_a_task_with_a_real_heartbeat_completes(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "Heartbeat", Heartbeat)
    monkeypatch.setattr(leases, "keep_hidden", lambda queue, *, receipt, seconds: None)
    job = world.queued(owner)
    world.child.meanwhile = lambda: until(lambda: _renewed(job))
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert state(job) is Status.COMPLETED


def _renewed(job: Job) -> bool:
    return read(job).lease_until is not None


def test_a_database_that_restarts_during_the_run_costs_no_result(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that could restart")
    monkeypatch.setattr(leases, "Heartbeat", Heartbeat)
    monkeypatch.setattr(leases, "keep_hidden", lambda queue, *, receipt, seconds: None)
    job = world.queued(owner)
    world.child.meanwhile = _end_every_session
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert (state(job), read(job).setbacks) == (Status.COMPLETED, 0)


def _end_every_session() -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    other.close()
