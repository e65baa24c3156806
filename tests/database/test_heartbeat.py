"""The thread that keeps a lease alive, and finds it lost."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection

from celeryconfig import Queue
from gas.models import Job, LeaseLost, Status, User
from gas.services import jobs
from tasks import leases
from tasks.annotate import annotate
from tasks.leases import Heartbeat
from tests.seams.world import World, read, state
from tests.unit.domain.rows import claimed, job_in

SHORT = timedelta(seconds=0.6)
PATIENCE = 10  # seconds


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
        heartbeat.check()
    except LeaseLost:
        return True
    return False


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
    hidden: list[tuple[str, str]] = []

    def keep_hidden(queue: Queue, *, receipt: str) -> None:
        hidden.append((queue.name, receipt))

    monkeypatch.setattr(leases, "keep_hidden", keep_hidden)
    annotate.push_request(properties={"delivery_tag": "receipt-1"})
    try:
        with Heartbeat(held, annotate):
            until(lambda: len(hidden) >= 2)
    finally:
        annotate.pop_request()
    assert set(hidden) == {("annotate", "receipt-1")}


def test_a_task_with_a_real_heartbeat_completes(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "Heartbeat", Heartbeat)
    monkeypatch.setattr(leases, "keep_hidden", lambda queue, *, receipt: None)
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
    monkeypatch.setattr(leases, "keep_hidden", lambda queue, *, receipt: None)
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
