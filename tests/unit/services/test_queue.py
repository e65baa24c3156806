"""Where a job stands in the queue, held to the order in which jobs really begin."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from gas.models import Job, JobEvent, Plan, Status, Upload, User
from gas.services.queue import Place, place_of
from tasks import turns
from tests.seams.world import World
from tests.unit.domain.rows import job_in

MINUTE = timedelta(minutes=1)


def submitted(world: World, *owners: User) -> list[Job]:
    """A job of each of these owners, one after another."""
    made = []
    for owner in owners:
        made.append(world.submitted(owner))
        turns.give(turns.ANNOTATE, owner_id=owner.pk)
    return made


def before(job: Job) -> int:
    place = place_of(Job.objects.get(pk=job.pk))
    assert place is not None
    return place.before


def run_next(world: World) -> int:
    """Let the only worker work on one job; returns which."""
    seen = set(Job.objects.exclude(status=Status.QUEUED).values_list("pk", flat=True))
    while True:
        world.broker.run(world.broker.take("annotate"))
        begun = Job.objects.exclude(status=Status.QUEUED).exclude(pk__in=seen)
        if begun.exists():
            return begun.get().pk


@pytest.mark.parametrize("order", ["aaaaa", "aabab", "aaaabbc", "abcabc", "aaabbbccc", "cbbaaac"])
def test_turns_are_taken_in_the_order_of_the_places_at_every_moment(
    world: World, owner: User, stranger: User, subscriber: User, order: str
) -> None:
    """Whose job is next, not which: an owner's own jobs may pass each other."""
    people = {"a": owner, "b": stranger, "c": subscriber}
    made = submitted(world, *(people[letter] for letter in order))
    run_next(world)  # somebody has had a turn
    waiting = Job.objects.filter(pk__in=[job.pk for job in made], status=Status.QUEUED)
    while places := {before(job): job.owner for job in waiting.all()}:
        assert sorted(places) == list(range(len(places)))
        assert Job.objects.get(pk=run_next(world)).owner == places[0]


def test_a_newcomer_waits_for_one_turn_however_many_jobs_another_has(
    world: World, owner: User, stranger: User
) -> None:
    mine = submitted(world, *[owner] * 9)
    run_next(world)
    (theirs,) = submitted(world, stranger)
    assert before(theirs) == 0
    assert before(mine[-1]) == 8


def test_only_who_waits_has_a_place(owner: User) -> None:
    others = [status for status in Status if status is not Status.QUEUED]
    assert [place_of(job_in(status, owner)) for status in others] == [None] * len(others)


# --- how long -------------------------------------------------------------------------------------


def sized(status: Status, owner: User, size: int = 1000, **columns: Any) -> Job:
    job = job_in(status, owner, **columns)
    Upload.objects.filter(pk=job.upload_id).update(size=size)
    return job


def running(owner: User) -> Job:
    return sized(Status.RUNNING, owner, lease_owner="w", lease_until=Now() + MINUTE)


def finished(owner: User, took: timedelta, size: int = 1000) -> None:
    job = sized(Status.COMPLETED, owner, size)
    moves = [
        (Status.QUEUED, Status.RUNNING, Now() - took),
        (Status.RUNNING, Status.COMPLETED, Now()),
    ]
    for left, entered, at in moves:
        JobEvent.objects.create(job=job, before=left, after=entered, at=at, actor="w")


def place(job: Job) -> Place:
    """The place of a job, its wait in whole seconds."""
    found = place_of(Job.objects.select_related("owner__plan").get(pk=job.pk))
    assert found is not None
    wait = found.wait and timedelta(seconds=round(found.wait.total_seconds()))
    return replace(found, wait=wait)


def test_the_wait_is_what_the_jobs_before_take_the_workers_at_work(
    owner: User, stranger: User
) -> None:
    for minutes in (1, 2, 30):
        finished(stranger, minutes * MINUTE)
    for _ in range(2):
        running(stranger)
    for _ in range(3):
        sized(Status.QUEUED, stranger)
    mine = sized(Status.QUEUED, owner)
    assert (place(mine).before, place(mine).wait) == (1, 2 * MINUTE)  # two of 2 minutes, 2 workers


def test_an_owners_own_limit_is_part_of_the_wait(owner: User) -> None:
    Plan.objects.filter(pk=Plan.FREE).update(max_running_jobs=1)
    for _ in range(3):
        finished(owner, MINUTE)
    for _ in range(4):
        running(owner)
    mine = [sized(Status.QUEUED, owner) for _ in range(4)]
    assert place(mine[-1]).wait == 4 * MINUTE


def test_nothing_is_said_of_the_wait_without_a_basis(owner: User, stranger: User) -> None:
    mine = sized(Status.QUEUED, owner)
    for _ in range(3):
        finished(stranger, MINUTE, size=10**9)
    running(stranger)
    assert place(mine) == Place(0, None)  # of files like these nobody knows
    for _ in range(3):
        finished(stranger, MINUTE)
    assert place(mine).wait == MINUTE
    Job.objects.filter(status=Status.RUNNING).update(lease_until=Now() - MINUTE)
    assert place(mine).wait is None  # no worker is at work
