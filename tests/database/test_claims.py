"""Workers that want the same job at the same moment."""

from contextlib import suppress
from threading import Barrier

import pytest
from django.db import connections

from gas.models import CLAIMED_FROM, IN_FLIGHT, Job, LeaseLost, Status, User
from gas.services import jobs
from gas.services.jobs import JobRefused
from tests.database.threads import at_once
from tests.seams.world import read, state
from tests.unit.domain.rows import LEASE, NEEDS, claim, claimed, expire, job_in

WORKERS, ROUNDS = 4, 50


def test_of_many_that_claim_the_same_job_exactly_one_wins(owner: User) -> None:
    waiting = [job_in(Status.QUEUED, owner) for _ in range(ROUNDS)]
    start = Barrier(WORKERS)

    def claim_all() -> list[bool]:
        won = []
        for job in waiting:
            start.wait(timeout=120)
            won.append(claim(job, Status.RUNNING) is not None)
        return won

    won = at_once(*[claim_all] * WORKERS)
    assert [sum(round_) for round_ in zip(*won, strict=True)] == [1] * ROUNDS
    assert set(Job.objects.values_list("status", "attempt")) == {(Status.RUNNING, 1)}
    assert all(job.events.count() == 1 for job in waiting)


@pytest.mark.parametrize("into", sorted(IN_FLIGHT))
def test_of_many_that_take_a_job_over_exactly_one_wins(
    owner: User, subscriber: User, into: Status
) -> None:
    job = job_in(CLAIMED_FROM[into], subscriber if into is Status.THAWING else owner)
    claimed(job, into)
    expire(job)
    won = at_once(*[lambda: claim(job, into) is not None] * WORKERS)
    assert sum(won) == 1
    assert (read(job).attempt, read(job).setbacks) == (2, 1)


def test_a_worker_that_comes_back_and_one_that_takes_over_never_both_write(owner: User) -> None:
    for _ in range(10):
        job = job_in(Status.QUEUED, owner)
        late = claimed(job, Status.RUNNING)
        expire(job)

        def finish(late: Job = late) -> bool:
            try:
                late.advance(Status.COMPLETED, **NEEDS[Status.COMPLETED])
            except LeaseLost:
                return False
            return True

        def take_over(job: Job = job) -> bool:
            return claim(job, Status.RUNNING, worker="second") is not None

        finished, taken = at_once(finish, take_over)
        assert finished != taken
        assert state(job) is (Status.COMPLETED if finished else Status.RUNNING)


def test_a_job_that_is_cancelled_as_it_is_claimed_stays_cancelled(owner: User) -> None:
    for _ in range(10):
        job = job_in(Status.QUEUED, owner)

        def cancel(job: Job = job) -> None:
            jobs.cancel(job=job, actor=owner)

        def work(job: Job = job) -> None:
            held = claim(job, Status.RUNNING)
            if held is None:
                return
            assert held.state is Status.RUNNING  # what was claimed, not what became of it
            with suppress(LeaseLost):
                held.renew(LEASE)

        at_once(cancel, work)
        assert state(job) is Status.CANCELLED


def test_a_job_that_is_cancelled_as_it_completes_is_one_or_the_other(owner: User) -> None:
    for _ in range(10):
        held = claimed(job_in(Status.QUEUED, owner), Status.RUNNING)

        def cancel(job: Job = held) -> bool:
            try:
                jobs.cancel(job=job, actor=owner)
            except JobRefused:
                return False
            return True

        def complete(held: Job = held) -> bool:
            try:
                held.advance(Status.COMPLETED, **NEEDS[Status.COMPLETED])
            except LeaseLost:
                return False
            return True

        cancelled, completed = at_once(cancel, complete)
        assert cancelled != completed
        assert state(held) is (Status.CANCELLED if cancelled else Status.COMPLETED)
        assert held.events.count() == 2


def test_the_connections_of_the_threads_are_closed(owner: User) -> None:
    at_once(User.objects.count, User.objects.count)
    assert len(list(connections.all(initialized_only=True))) == 1
