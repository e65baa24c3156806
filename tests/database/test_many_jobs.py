"""Ten thousand jobs of one owner: how long a request takes, and what is left for others."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from gas.models import Job, Plan, Status, Upload, User
from gas.services import jobs, queue, subscriptions
from tasks import turns
from tasks.sweep import sweep
from tests.database.threads import at_once
from tests.seams.world import World
from tests.unit.domain.rows import NEEDS, job_in

MANY = 10_000
#: Seconds in which a request must be through, on a busy machine too.
BEARABLE = 30.0

LATELY = Now() - timedelta(seconds=1)


def many(status: Status, owner: User, **columns: object) -> None:
    upload = Upload.objects.create(owner=owner, filename="cohort.vcf", status="complete", size=1000)
    usual = {"owner": owner, "upload": upload, "name": "Cohort", "bundle": "demo"}
    rows = (Job(**usual, status=status, **NEEDS.get(status, {}), **columns) for _ in range(MANY))
    Job.objects.bulk_create(rows, batch_size=500)
    with connection.cursor() as cursor:  # as PostgreSQL does by itself within a minute
        cursor.execute("ANALYZE")


def seconds(request: Callable[[], object]) -> float:
    started = time.monotonic()
    request()
    return time.monotonic() - started


def messages_of(world: World, owner: User) -> list[str]:
    mine = set(owner.jobs.values_list("pk", flat=True))
    return [message.task for message in world.broker.arrived() if mine.intersection(message.args)]


def test_an_upgrade_asks_for_ten_thousand_jobs_a_few_at_a_time(
    world: World, owner: User, stranger: User
) -> None:
    many(Status.ARCHIVED, owner, wake_at=None)
    subscribe = partial(subscriptions.activate, customer_id="cus")
    assert seconds(lambda: subscribe(user=owner, provider_id="sub-1")) < BEARABLE
    assert messages_of(world, owner) == turns.THAW.ahead * ["thaw"]
    theirs = job_in(Status.ARCHIVED, stranger, wake_at=None)
    subscribe(user=stranger, provider_id="sub-2")
    asked = [message.args for message in world.broker.arrived() if message.task == "thaw"]
    assert asked.index((theirs.pk,)) <= turns.THAW.ahead
    assert seconds(sweep.run) < BEARABLE
    assert len(messages_of(world, owner)) == turns.THAW.ahead
    assert turns.waiting(turns.THAW).count() == MANY - turns.THAW.ahead


def test_a_downgrade_dates_ten_thousand_jobs_and_archives_them_a_few_at_a_time(
    world: World, owner: User, stranger: User
) -> None:
    subscriptions.activate(user=owner, customer_id="cus", provider_id="sub")
    many(Status.COMPLETED, owner, wake_at=None)
    assert seconds(lambda: subscriptions.end(provider_id="sub")) < BEARABLE
    assert messages_of(world, owner) == []
    Job.objects.update(wake_at=LATELY)
    theirs = job_in(Status.COMPLETED, stranger, wake_at=LATELY)
    for _ in range(3):
        assert seconds(sweep.run) < BEARABLE
    assert messages_of(world, owner) == turns.ARCHIVE.ahead * ["archive"]
    assert (theirs.pk,) in [m.args for m in world.broker.arrived()]


def test_ten_thousand_jobs_are_queued_by_one_subscriber_and_another_goes_before_them(
    world: World, owner: User, stranger: User
) -> None:
    premium = Plan.objects.get(pk=Plan.PREMIUM)
    assert premium.max_active_jobs >= MANY
    User.objects.filter(pk=owner.pk).update(plan=premium, turn_at=LATELY)
    many(Status.QUEUED, owner)
    assert seconds(sweep.run) < BEARABLE
    assert messages_of(world, owner) == premium.max_running_jobs * ["annotate"]
    theirs = world.submitted(stranger)
    assert seconds(lambda: turns.give(turns.ANNOTATE, owner_id=stranger.pk)) < BEARABLE
    assert messages_of(world, stranger) == ["annotate"]
    assert seconds(lambda: queue.place_of(theirs)) < BEARABLE
    last = owner.jobs.latest("pk")
    places = [place.before for job in (theirs, last) if (place := queue.place_of(job))]
    assert places == [0, MANY]
    assert seconds(lambda: jobs.cancel(job=last, actor=owner)) < BEARABLE
    assert len(messages_of(world, owner)) == premium.max_running_jobs


@pytest.mark.parametrize("callers", [4])
def test_however_many_give_turns_at_once_no_owner_has_more_than_the_plan(
    world: World, owner: User, callers: int
) -> None:
    for _ in range(6):
        job_in(Status.QUEUED, owner)
    give = partial(turns.give, turns.ANNOTATE, owner_id=owner.pk)
    given = at_once(*[give] * callers)
    assert sum(given) == Plan.objects.get(pk=Plan.FREE).max_running_jobs
    assert len(world.broker.arrived()) == sum(given)
    assert len({message.args for message in world.broker.arrived()}) == sum(given)


def test_the_settings_leave_room_for_others(owner: User) -> None:
    assert turns.THAW.ahead < settings.MOST_THAWS < MANY
