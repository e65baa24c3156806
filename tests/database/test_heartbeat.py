"""The thread that keeps a lease alive, and finds it lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import InterfaceError, OperationalError, connection

from celeryconfig import LEASE, QUEUES, STALL_LIMIT, Queue
from dev import waiting
from gas.models import Job, LeaseLost, Status, User
from gas.services import jobs
from tasks import leases
from tasks.annotate import annotate
from tasks.leases import Heartbeat, Stalled
from tasks.setbacks import BREAKDOWN
from tests.seams.world import World, read, state
from tests.unit.domain.rows import claimed, job_in

until = partial(waiting.until, what="what was waited for", seconds=60)


@pytest.fixture(autouse=True)
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT", timedelta(seconds=0.2))


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.6))


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(leases, "time", made)
    return made


@pytest.fixture
def held(owner: User) -> Job:
    return claimed(job_in(Status.QUEUED, owner), Status.RUNNING)


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


def renewed(held: Job) -> None:
    """Wait for two renewals, of which the second began after this call."""
    before = lease_of(held)
    until(lambda: lease_of(held) != before)
    between = lease_of(held)
    until(lambda: lease_of(held) != between)


def is_beating() -> bool:
    return any(thread.name == "heartbeat" for thread in threading.enumerate())


def lease_of(job: Job) -> datetime:
    until = read(job).lease_until
    assert until is not None
    return until


def test_a_lease_is_renewed_again_and_again_while_the_work_goes_on(held: Job) -> None:
    with Heartbeat(held, annotate) as heartbeat:
        first = lease_of(held)
        renewed(held)
        assert lease_of(held) > first
        heartbeat.check()
    assert not is_beating()


def test_short_work_costs_no_renewal_and_no_request(
    held: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT", LEASE / 3)
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


@pytest.mark.usefixtures("short_lease")
@pytest.mark.parametrize("fault", [OperationalError("locked"), InterfaceError("closed")])
def test_a_lease_that_cannot_be_renewed_in_time_is_given_up_for_lost(
    held: Job, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(_claim: Job, _lease: timedelta) -> None:
        raise fault

    monkeypatch.setattr(Job, "renew", fail)
    with Heartbeat(held, annotate) as heartbeat:
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
    held: Job, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout = QUEUES["annotate"].visibility_timeout
    monkeypatch.setattr(leases, "LONGEST_HIDDEN", timedelta(seconds=timeout + 2))
    with hidden_by(held, monkeypatch) as (heartbeat, hidden):
        until(lambda: len(hidden) >= 2)
        assert hidden[0][2] == 2
        clock.now = 1.5
        renewed(held)
        count = len(hidden)
        renewed(held)
        assert len(hidden) == count
        heartbeat.check()


def test_work_that_hangs_keeps_neither_its_lease_nor_its_message(
    held: Job, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "STALL_LIMIT", timedelta(seconds=1))
    with hidden_by(held, monkeypatch) as (heartbeat, hidden):
        renewed(held)
        clock.now = 1.5
        assert stalled(heartbeat)
        until(lambda: not is_beating())
    assert hidden


def test_work_that_tells_of_progress_goes_on(held: Job, clock: Clock) -> None:
    with Heartbeat(held, annotate) as heartbeat:
        for _ in range(3):
            clock.now += 0.9 * STALL_LIMIT.total_seconds()
            heartbeat.progress()
            renewed(held)
            heartbeat.tick()


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
