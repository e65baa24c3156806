"""What the last 24 hours were like: jobs that ended, how long they took, why they failed, depths.

Each question reads the part of an index that lies within the day, and no more than so many rows.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Case, Count, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import TruncHour
from django.utils import timezone

from gas.models import JobEvent, Sample, Status, Usage
from gas.models.audit import ENDS
from gas.remembered import Remembered

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

#: The newest annotations whose times are looked at, and the newest failures whose reasons are.
MOST_TIMES, MOST_FAILURES = 2000, 1000

#: Reasons and accounts that are shown.
TOP = 8

#: Seconds for which a process keeps what it read: a day changes little in that time.
KEPT = 20

OUTCOMES = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

_NUMBERS = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True)
class Hour:
    """Jobs that ended in one hour, by outcome, and how long those took that were annotated."""

    begins_at: datetime
    ended: dict[str, int]
    wait_p50: float | None  # seconds from submission to the first work
    wait_p95: float | None
    run_p50: float | None  # seconds of the work
    run_p95: float | None


@dataclass(frozen=True)
class Rate:
    """Jobs that ended within a time, and the part of them that failed, of those not cancelled."""

    completed: int
    failed: int
    cancelled: int

    @property
    def failing(self) -> float | None:
        """From 0 to 1; None when nothing ended."""
        ended = self.completed + self.failed
        return self.failed / ended if ended else None

    @property
    def failing_percent(self) -> str:
        """The same for people, who need no more than two digits."""
        return f"{100 * (self.failing or 0):.2g}"


@dataclass(frozen=True)
class Reason:
    """Why jobs failed, in words without their numbers, and whose fault it was."""

    kind: str
    words: str
    jobs: int


@dataclass(frozen=True)
class Minute:
    """How deep the queues were in one minute."""

    at: datetime
    queues: dict[str, list[int | None]]  # visible, in flight, delayed, dead
    swept: dict[str, int]


@dataclass(frozen=True)
class Dear:
    """An account that costs much to keep."""

    account: int
    name: str
    jobs: int
    at_hand_bytes: int
    archived_bytes: int
    monthly_dollars: float
    counted_at: datetime


@dataclass(frozen=True)
class History:
    """The last 24 hours, oldest first."""

    read_at: datetime
    hours: list[Hour]
    last_hour: Rate
    last_day: Rate
    reasons: list[Reason]
    minutes: list[Minute]
    dearest: list[Dear]


def read() -> History:
    """Return the history as of some seconds ago."""
    return LATELY.value()


def forget() -> None:
    """Read it anew at the next question."""
    LATELY.forget()


def _read() -> History:
    now = timezone.now()
    ended = list(_ended(now))
    return History(
        read_at=now,
        hours=_hours(now, ended),
        last_hour=_rate(row for row in ended if row["lately"]),
        last_day=_rate(ended),
        reasons=_reasons(now),
        minutes=[
            Minute(sample.at, sample.queues, sample.swept)
            for sample in Sample.objects.filter(at__gte=now - DAY).order_by("at")
        ],
        dearest=_dearest(),
    )


LATELY = Remembered("operations-history", KEPT, _read)


def ends_since(since: datetime) -> QuerySet[JobEvent]:
    """The events by which the work on jobs ended since a moment, along their own index."""
    return JobEvent.objects.filter(ENDS, at__gte=since).order_by()


def _ended(now: datetime) -> Iterable[dict[str, Any]]:
    """How many jobs ended in each hour with each outcome, those of the last 60 minutes apart."""
    lately = Case(
        When(at__gte=now - HOUR, then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    rows = ends_since(now - DAY).annotate(hour=TruncHour("at"), lately=lately)
    return rows.values("hour", "after", "lately").annotate(jobs=Count("pk"))


def _rate(rows: Iterable[dict[str, Any]]) -> Rate:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row["after"]] += row["jobs"]
    return Rate(*(counts[outcome.value] for outcome in OUTCOMES))


def _hours(now: datetime, ended: list[dict[str, Any]]) -> list[Hour]:
    first = (now - DAY).replace(minute=0, second=0, microsecond=0)
    times = _times(now)
    return [
        _hour(first + number * HOUR, ended, times)
        for number in range(1, 26)
        if first + number * HOUR <= now
    ]


def _hour(
    begins_at: datetime, ended: list[dict[str, Any]], times: list[tuple[datetime, float, float]]
) -> Hour:
    counts = dict.fromkeys((outcome.value for outcome in OUTCOMES), 0)
    for row in ended:
        if row["hour"] == begins_at:
            counts[row["after"]] += row["jobs"]
    within = [time for time in times if begins_at <= time[0] < begins_at + HOUR]
    waits, runs = [wait for _, wait, _ in within], [run for *_, run in within]
    return Hour(
        begins_at,
        counts,
        wait_p50=percentile(waits, 50),
        wait_p95=percentile(waits, 95),
        run_p50=percentile(runs, 50),
        run_p95=percentile(runs, 95),
    )


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The smallest value that so many percent of all do not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]


def newest_annotations(since: datetime) -> QuerySet[JobEvent]:
    """The events by which annotations succeeded since a moment, newest first, along that index."""
    annotated = ends_since(since).filter(before=Status.RUNNING, after=Status.COMPLETED)
    return annotated.order_by("-at")


def _times(now: datetime) -> list[tuple[datetime, float, float]]:
    """When each of the newest annotations ended, and the seconds that it waited and ran."""
    began = JobEvent.objects.filter(
        job=OuterRef("job"), before=Status.QUEUED, after=Status.RUNNING, pk__lt=OuterRef("pk")
    )
    newest = newest_annotations(now - DAY).annotate(
        began=Subquery(began.order_by("-pk").values("at")[:1]), submitted=F("job__created_at")
    )
    rows = newest.values_list("at", "began", "submitted")[:MOST_TIMES]
    return [
        (at, (began - submitted).total_seconds(), (at - began).total_seconds())
        for at, began, submitted in rows
        if began
    ]


def _reasons(now: datetime) -> list[Reason]:
    """The most frequent reasons of the newest failures, whatever numbers are in them."""
    failed = ends_since(now - DAY).filter(after=Status.FAILED).order_by("-at")
    rows = failed.values_list("job__failure_kind", "reason")[:MOST_FAILURES]
    counts = Counter((kind or "", _NUMBERS.sub("…", reason)) for kind, reason in rows)
    return [Reason(kind, words, jobs) for (kind, words), jobs in counts.most_common(TOP)]


def _dearest() -> list[Dear]:
    rows = Usage.objects.select_related("user").order_by("-monthly_microdollars")[:TOP]
    return [
        Dear(
            account=row.pk,
            name=row.user.display_name,
            jobs=row.jobs,
            at_hand_bytes=row.input_bytes + row.result_bytes,
            archived_bytes=row.archived_bytes,
            monthly_dollars=row.monthly_dollars,
            counted_at=row.counted_at,
        )
        for row in rows
        if row.monthly_microdollars
    ]
