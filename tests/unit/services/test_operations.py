"""How the service stands: what is told of queues, workers, rows, the last day and costs."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from celeryconfig import QUEUES
from gas.models import (
    Alarm,
    Failure,
    Job,
    JobEvent,
    Notice,
    QueueState,
    Reconciliation,
    Status,
    User,
    Worker,
)
from gas.services import operations, operations_history, operations_rows
from gas.services.operations_history import percentile
from tasks import presence, usage
from tests.seams.world import World
from tests.unit.domain.rows import claimed, job_in

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def read_anew() -> None:
    operations_history.forget()


def a_worker(name: str, *queues: str, ago: timedelta = timedelta(0), **columns: Any) -> Worker:
    usual: dict[str, Any] = {"host": "one", "pid": 7, "release": "abc", "processes": 2}
    row = Worker.objects.create(name=name, queues=list(queues), **(usual | columns))
    Worker.objects.filter(pk=row.pk).update(seen_at=Now() - ago)
    return row


def ended(owner: User, after: Status, *, ago: timedelta, reason: str = "") -> Job:
    """A job that was submitted, waited ten minutes, ran for two, and ended some time ago."""
    extra = {"failure_kind": Failure.INPUT} if after is Status.FAILED else {}
    now = timezone.now()
    job = job_in(after, owner, created_at=now - ago - 12 * MINUTE, **extra)
    ways = [("", "queued", 12), ("queued", "running", 2), ("running", after.value, 0)]
    for before, into, minutes in ways:
        at = now - ago - minutes * MINUTE
        JobEvent.objects.create(job=job, actor="a", before=before, after=into, at=at, reason=reason)
    return job


def test_each_queue_tells_what_sqs_says_and_the_row_that_is_due_the_longest(
    world: World, owner: User
) -> None:
    world.letters.post("thaw", "garbage")
    job_in(Status.QUEUED, owner, wake_at=Now() - 3 * MINUTE)
    job_in(Status.RUNNING, owner, wake_at=Now() - 5 * MINUTE)
    held = job_in(Status.QUEUED, owner, wake_at=Now() - HOUR)
    claimed(held, Status.RUNNING)
    lines = {line.name: line for line in operations.snapshot().queues}
    assert list(lines) == list(QUEUES)
    assert (lines["thaw"].dead, lines["thaw"].visible) == (1, 0)
    assert lines["annotate"].oldest is not None
    assert lines["annotate"].oldest.state == "running"
    assert 290 < (lines["annotate"].oldest_seconds or 0) < 400
    assert lines["thaw"].oldest is None


def test_the_oldest_mail_is_the_oldest_row_of_notify(world: World, owner: User) -> None:
    job = job_in(Status.FAILED, owner)
    Notice.objects.create(job=job, kind="failed", attempt=1, created_at=Now() - HOUR)
    seen = operations.snapshot()
    line = next(line for line in seen.queues if line.name == "notify")
    assert line.oldest is not None
    assert line.oldest.state == "mail"
    assert seen.rows.mails_owed.number == 1


def test_workers_tell_what_they_run_and_a_silent_one_is_lost(world: World) -> None:
    task = {"task": "annotate", "job": 7, "since": "2030-05-04T12:00:00+00:00"}
    a_worker("annotate@one", "annotate", ago=-timedelta(hours=1), running=[task])
    a_worker("annotate@two", "annotate", ago=2 * presence.LOST_AFTER, running=[task])
    seen = operations.snapshot()
    assert [(each.name, each.is_lost) for each in seen.workers] == [
        ("annotate@one", False),
        ("annotate@two", True),
    ]
    assert seen.workers[0].running[0].job == 7
    line = seen.queues[0]
    assert (line.name, line.workers, line.running) == ("annotate", 1, 1)


def test_a_site_with_a_wrong_clock_takes_no_worker_for_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_worker("annotate@one", "annotate", ago=-timedelta(hours=1))
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=1))
    (worker,) = operations_rows.workers()
    assert not worker.is_lost


def test_a_pause_tells_who_why_and_how_many_workers_have_yet_to_hear_of_it(world: World) -> None:
    operations.snapshot()
    QueueState.objects.filter(pk="annotate").update(
        paused_at=Now(), paused_by="operator", pause_reason="disks"
    )
    a_worker("annotate@one", "annotate", resting=["annotate"])
    a_worker("annotate@two", "annotate")
    line = operations.snapshot().queues[0]
    assert (line.paused_by, line.pause_reason, line.hearing) == ("operator", "disks", 1)


def test_rows_are_counted_up_to_a_bound(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations_rows, "MOST", 2)
    for _ in range(3):
        job_in(Status.QUEUED, owner)
    job_in(Status.COMPLETED, owner, trouble="lost")
    leased = claimed(job_in(Status.QUEUED, owner), Status.RUNNING)
    silent = claimed(job_in(Status.QUEUED, owner), Status.RUNNING)
    Job.objects.filter(pk=silent.pk).update(lease_until=Now() - MINUTE)
    Alarm.raise_once("a", "b", job=leased)
    rows = operations_rows.read()
    assert rows.jobs["queued"] == operations_rows.Count(2, is_more=True)
    assert rows.jobs["completed"] == operations_rows.Count(1, is_more=False)
    assert (rows.leases_held.number, rows.leases_expired.number) == (1, 1)
    assert (rows.in_trouble.number, rows.alarms_untold.number) == (1, 1)


def test_the_last_comparison_is_told(world: World) -> None:
    assert operations.snapshot().rows.comparison is None
    Reconciliation.objects.create(counts={"orphans": 1})
    Reconciliation.objects.create(counts={"results without a row": 3}, dry_run=True)
    found = operations.snapshot().rows.comparison
    assert found is not None
    assert (found.counts, found.dry_run) == ({"results without a row": 3}, True)


def test_what_failed_is_told_of_the_hour_and_the_day_without_what_was_cancelled(
    world: World, owner: User
) -> None:
    for _ in range(3):
        ended(owner, Status.COMPLETED, ago=20 * MINUTE)
    ended(owner, Status.FAILED, ago=20 * MINUTE, reason="Line 12 has only 7 columns.")
    ended(owner, Status.FAILED, ago=5 * HOUR, reason="Line 990 has only 3 columns.")
    ended(owner, Status.CANCELLED, ago=5 * HOUR)
    ended(owner, Status.FAILED, ago=25 * HOUR, reason="Long ago.")
    history = operations_history.read()
    assert (history.last_hour.completed, history.last_hour.failed) == (3, 1)
    assert history.last_hour.failing == 0.25
    day = history.last_day
    assert (day.completed, day.failed, day.cancelled, day.failing) == (3, 2, 1, 0.4)
    reason = history.reasons[0]
    assert (reason.jobs, reason.kind, reason.words) == (2, "input", "Line … has only … columns.")
    assert len(history.reasons) == 1


def test_nothing_that_ended_is_no_rate(world: World) -> None:
    assert operations_history.read().last_hour.failing is None


def test_hours_tell_what_ended_and_how_long_half_and_nearly_all_took(
    world: World, owner: User
) -> None:
    for _ in range(4):
        ended(owner, Status.COMPLETED, ago=3 * HOUR)
    hours = operations_history.read().hours
    assert len(hours) in (24, 25)
    busy = [hour for hour in hours if hour.ended["completed"]]
    assert [hour.ended["completed"] for hour in busy] == [4]
    assert busy[0].wait_p50 == busy[0].wait_p95 == pytest.approx(600, abs=5)
    assert busy[0].run_p50 == pytest.approx(120, abs=5)
    assert hours[-1].run_p95 is None


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7.0], 95, 7.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([float(n) for n in range(100, 0, -1)], 95, 95.0),
        ([float(n) for n in range(1, 21)], 95, 19.0),
    ],
)
def test_a_percentile_is_the_nearest_rank(
    values: list[float], percent: int, expected: float | None
) -> None:
    assert percentile(values, percent) == expected


def test_what_is_kept_is_added_up_and_the_dearest_accounts_are_named(
    world: World, owner: User, stranger: User
) -> None:
    job = job_in(Status.COMPLETED, owner)
    job.upload.status, job.upload.size = "complete", 2**40
    job.upload.save()
    usage.count()
    seen = operations.snapshot()
    assert seen.rows.usage["input_bytes"] == 2**40
    assert seen.monthly_dollars == pytest.approx(1024 * 0.023)
    assert [(each.account, each.jobs) for each in seen.history.dearest] == [(owner.pk, 1)]


def test_it_takes_few_questions_however_much_there_is(
    world: World, owner: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    operations.snapshot()
    for _ in range(30):
        ended(owner, Status.COMPLETED, ago=HOUR)
        a_worker("annotate@one", "annotate")
    operations_history.forget()
    with django_assert_max_num_queries(8):
        operations.snapshot()
    with django_assert_max_num_queries(3):
        operations.snapshot()


def test_the_command_tells_programs_the_same_as_the_page(world: World, owner: User) -> None:
    ended(owner, Status.FAILED, ago=MINUTE, reason="Line 12.")
    a_worker("annotate@one", "annotate")
    call_command("status", "--json", stdout=(out := StringIO()))
    told = json.loads(out.getvalue())
    assert [queue["name"] for queue in told["queues"]] == list(QUEUES)
    assert told["history"]["last_hour"] == {
        "completed": 0,
        "failed": 1,
        "cancelled": 0,
        "failing": 1.0,
    }
    assert told["workers"][0]["name"] == "annotate@one"
    assert set(told["rows"]["jobs"]) == {status.value for status in Status}
    assert {"commit", "bundles", "region", "prices_of"} == set(told["releases"])


def test_the_command_tells_people_line_by_line(world: World, owner: User) -> None:
    world.letters.post("thaw", "garbage")
    ended(owner, Status.FAILED, ago=MINUTE, reason="Line 12.")
    call_command("status", stdout=(out := StringIO()))
    said = out.getvalue()
    assert "no worker has given a sign of life" in said
    assert "1 failed; 0 in trouble" in said
    assert "1 x input: Line …" in said
    thaw = next(line for line in said.splitlines() if line.startswith("thaw"))
    assert thaw.split() == ["thaw", "0", "0", "0", "1", "-"]


def test_it_moves_while_work_is_owed_and_rests_when_nothing_is(world: World, owner: User) -> None:
    assert not operations.snapshot().is_moving
    job_in(Status.QUEUED, owner)
    assert operations.snapshot().is_moving
