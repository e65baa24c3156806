"""Attempts of annotate that lose their job, and what they may not leave behind."""

from typing import Any

import pytest
from django.db import OperationalError

from gas.models import Job, Status, User
from gas.services import jobs
from gas.storage import result_sets
from gas.storage.errors import StorageUnavailable
from tasks import pipeline
from tests.seams.world import World, read, state
from tests.unit.domain.rows import claimed, expire
from tests.unit.tasks.test_annotate import left_behind, owed


def test_cancelling_stops_the_child_and_leaves_nothing(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.child.meanwhile = lambda: jobs.cancel(job=job, actor=owner)
    assert world.broker.deliver("annotate") == "IGNORED"
    assert state(job) is Status.CANCELLED
    assert left_behind(world, job) == set()
    assert (owed(job), world.broker.names()) == ([], [])


def test_cancelling_while_results_are_published_leaves_nothing(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.queued(owner)

    def published(verb: str) -> None:
        if verb == "objects.publish" and state(job) is Status.RUNNING:
            jobs.cancel(job=job, actor=owner)

    monkeypatch.setattr(world.fate, "step", published)
    assert world.broker.deliver("annotate") == "IGNORED"
    assert state(job) is Status.CANCELLED
    assert left_behind(world, job) == set()
    assert (owed(job), world.broker.names()) == ([], [])


def test_cancelling_during_a_fault_that_passes_ends_the_message(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.child.meanwhile = lambda: _cancelled_and_down(job, owner)
    assert world.broker.deliver("annotate") == "IGNORED"
    assert (state(job), world.broker.names()) == (Status.CANCELLED, [])


def _cancelled_and_down(job: Job, owner: User) -> None:
    jobs.cancel(job=job, actor=owner)
    raise StorageUnavailable("S3 is down")


def test_what_a_dead_attempt_published_goes_when_the_next_succeeds(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    with world.on_trial():
        assert not world.dies("annotate", before=99)
    fourth = world.fate.steps.index("objects.publish") + 3
    assert world.dies("annotate", before=fourth)
    assert len(left_behind(world, job)) == 3
    expire(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert left_behind(world, job) == {file.key for file in job.files.all()}
    assert all(key.startswith(f"results/{job.pk}/2/") for key in left_behind(world, job))


def test_a_worker_that_was_taken_over_leaves_the_newer_attempt_alone(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    pipeline.send(job)

    def slept() -> None:
        world.child.meanwhile = lambda: None
        expire(job)
        assert world.broker.deliver("annotate") == "SUCCESS"

    world.child.meanwhile = slept
    assert world.broker.deliver("annotate") == "IGNORED"
    assert state(job) is Status.COMPLETED
    assert read(job).result_prefix == f"results/{job.pk}/2/"
    assert left_behind(world, job) == {file.key for file in job.files.all()}


def test_a_commit_that_failed_is_tried_again(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.queued(owner)
    advance, faults = Job.advance, [OperationalError("lost at commit")]

    def advanced(claim: Job, after: Status, **changes: Any) -> None:
        advance(claim, after, **changes)
        if faults:
            raise faults.pop()  # rolls back what the worker believes to have written

    monkeypatch.setattr(Job, "advance", advanced)
    assert world.broker.deliver("annotate") == "RETRY"
    assert (state(job), read(job).lease_until, owed(job)) == (Status.RUNNING, None, [])
    world.hurry(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert left_behind(world, job) == {file.key for file in job.files.all()}


def test_what_newer_attempts_have_written_is_not_taken_for_left_behind(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    older = claimed(job, Status.RUNNING)
    expire(job)
    newer = claimed(job, Status.RUNNING)
    for attempt in (older, newer):
        world.storage.kept[f"s3://gas-results/{attempt.fresh_prefix}annotated.vcf.gz"] = b""
    result_sets.destroy(older)
    assert left_behind(world, job) == {f"{newer.fresh_prefix}annotated.vcf.gz"}
