"""What rows tell of this moment, in one question whose parts each read a bounded piece of an index.

No part counts beyond `MOST`, so that it takes as long with a million jobs as with a thousand.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    BooleanField,
    DateTimeField,
    ExpressionWrapper,
    IntegerField,
    JSONField,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Now

from gas.models import (
    Alarm,
    Discard,
    Job,
    Notice,
    Plan,
    Reconciliation,
    Status,
    Usage,
    Worker,
)
from gas.models.leases import FREE
from gas.models.webhooks import Delivery
from gas.services.listing import CountOf
from tasks.presence import LOST_AFTER
from tasks.sweep import WAITING

#: Rows of a kind that are counted; beyond it "more than so many" is said.
MOST = 1000

#: Workers that are shown; the sweep forgets lost ones.
MOST_WORKERS = 200


@dataclass(frozen=True)
class Count:
    """How many there are, up to the most that are counted."""

    number: int
    is_more: bool


@dataclass(frozen=True)
class Oldest:
    """The row that is due the longest and that nobody works on: its state, and since when."""

    state: str
    since: datetime


@dataclass(frozen=True)
class Comparison:
    """What the last comparison of rows with storage found."""

    started_at: datetime
    ended_at: datetime | None
    dry_run: bool
    counts: dict[str, int]


@dataclass(frozen=True)
class Rows:
    """All that rows tell of this moment."""

    jobs: dict[str, Count]
    oldest: dict[str, Oldest]  # by queue
    leases_held: Count
    leases_expired: Count
    in_trouble: Count
    mails_owed: Count
    oldest_mail: datetime | None
    webhooks_owed: Count
    to_destroy: Count
    alarms_untold: Count
    comparison: Comparison | None
    usage: dict[str, int]  # bytes by kind, files, and micro-dollars a month, of all accounts

    @property
    def present(self) -> list[tuple[str, Count]]:
        """The states that there are jobs in."""
        return [(state, count) for state, count in self.jobs.items() if count.number]


@dataclass(frozen=True)
class Running:
    """A task that a worker is at."""

    task: str
    job: int | None
    since: datetime


@dataclass(frozen=True)
class WorkerLine:
    """One worker process, as its last sign of life told."""

    name: str
    host: str
    pid: int
    release: str
    queues: list[str]
    resting: list[str]
    processes: int
    memory_mb: int
    running: list[Running]
    started_at: datetime
    seen_at: datetime
    is_lost: bool


def read() -> Rows:
    """Ask the database once."""
    row: dict[str, Any] = dict(Plan.objects.filter(pk=Plan.FREE).values(**_columns()).get())
    return Rows(
        jobs={status.value: _count(row[f"n_{status}"]) for status in Status},
        oldest=_oldest(row),
        leases_held=_count(row["held"]),
        leases_expired=_count(row["expired"]),
        in_trouble=_count(row["troubled"]),
        mails_owed=_count(row["mails"]),
        oldest_mail=row["oldest_mail"],
        webhooks_owed=_count(row["calls"]),
        to_destroy=_count(row["discards"]),
        alarms_untold=_count(row["alarms"]),
        comparison=_comparison(row),
        usage={name: int(row[f"u_{name}"] or 0) for name in USED},
    )


#: The columns of `Usage` that are added up.
USED = (
    "jobs",
    "input_bytes",
    "result_bytes",
    "archived_bytes",
    "archived_files",
    "monthly_microdollars",
)


def _columns() -> dict[str, Any]:
    """A bounded subquery for each thing that is told."""
    jobs = Job.objects.order_by()
    last = Reconciliation.objects.order_by("-pk")
    unsent = Notice.objects.unsent()
    return {
        **{f"n_{status}": _bounded(jobs.filter(status=status)) for status in Status},
        **{f"o_{status}": _first(_due_in(status), "wake_at") for status in Status},
        **{f"u_{name}": _sum(name) for name in USED},
        "held": _bounded(jobs.filter(lease_until__gte=Now())),
        "expired": _bounded(jobs.filter(lease_until__lt=Now())),
        "troubled": _bounded(jobs.exclude(trouble="")),
        "mails": _bounded(unsent),
        "oldest_mail": _first(unsent.order_by("created_at"), "created_at"),
        "calls": _bounded(Delivery.objects.owed()),
        "discards": _bounded(Discard.objects.filter(try_at__lte=Now())),
        "alarms": _bounded(Alarm.objects.filter(told_at=None)),
        "compared": _first(last, "started_at"),
        "compared_until": _first(last, "ended_at"),
        "compared_dry": Subquery(last.values("dry_run")[:1]),
        "compared_counts": Subquery(last.values("counts")[:1], output_field=JSONField()),
    }


def _bounded(rows: QuerySet[Any]) -> CountOf:
    return CountOf(rows.order_by().values("pk")[: MOST + 1])


def _first(rows: QuerySet[Any], column: str) -> Subquery:
    return Subquery(rows.values(column)[:1], output_field=DateTimeField())


def _due_in(status: Status) -> QuerySet[Job]:
    """Jobs that nobody works on although they are due, the longest first."""
    return Job.objects.filter(FREE, status=status, wake_at__lte=Now()).order_by("wake_at")


def _sum(column: str) -> Subquery:
    totals = Usage.objects.order_by().values(all=Value(1)).annotate(total=Sum(column))
    return Subquery(totals.values("total"), output_field=IntegerField())


def _count(number: int) -> Count:
    return Count(min(number, MOST), number > MOST)


def _oldest(row: dict[str, Any]) -> dict[str, Oldest]:
    """For each queue the oldest due row of the states that its messages are for."""
    found = {}
    for queue, states in WAITING.items():
        due = [(row[f"o_{state}"], state.value) for state in states if row[f"o_{state}"]]
        if due:
            since, state = min(due)
            found[queue] = Oldest(state, since)
    if row["oldest_mail"]:
        found["notify"] = Oldest("mail", row["oldest_mail"])
    return found


def _comparison(row: dict[str, Any]) -> Comparison | None:
    if row["compared"] is None:
        return None
    return Comparison(
        row["compared"], row["compared_until"], row["compared_dry"], row["compared_counts"]
    )


def workers() -> list[WorkerLine]:
    """Every worker that was seen not long ago, by name; those that are silent are told as lost."""
    lost = ExpressionWrapper(Q(seen_at__lt=Now() - LOST_AFTER), output_field=BooleanField())
    rows = Worker.objects.annotate(lost=lost).order_by("-seen_at")[:MOST_WORKERS]
    lines = [_line(row, is_lost=row.lost) for row in rows]
    return sorted(lines, key=lambda line: (line.is_lost, line.name, line.started_at))


def _line(row: Worker, *, is_lost: bool) -> WorkerLine:
    return WorkerLine(
        name=row.name,
        host=row.host,
        pid=row.pid,
        release=row.release,
        queues=row.queues,
        resting=row.resting,
        processes=row.processes,
        memory_mb=row.memory_mb,
        running=[
            Running(each["task"], each["job"], datetime.fromisoformat(each["since"]))
            for each in row.running
        ],
        started_at=row.started_at,
        seen_at=row.seen_at,
        is_lost=is_lost,
    )
