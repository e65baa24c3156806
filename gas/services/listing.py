"""The list of jobs: in pages of a key, never of an offset, and by what people look for."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from django.db import connection
from django.db.models import IntegerField, QuerySet, Subquery
from django.http import QueryDict

from gas.forms import JobList
from gas.models import Job, Status, User
from gas.models.search import folded

PAGE = 25

#: Jobs of one state are counted up to here, so that a list takes as long however many there are.
MOST_COUNTED = 1000
#: Where words or days are looked for, so many of the newest jobs that match are counted.
MOST_LOOKED_AT = 250

#: How many jobs of each state an owner has, up to a limit. By hand: Django takes longer to put one
#: question for each state together, and PostgreSQL to plan them all, than to answer.
COUNTS = " ".join(
    [
        'SELECT kind.status, (SELECT COUNT(*) FROM (SELECT 1 FROM "gas_job"',
        "WHERE owner_id = %s AND status = kind.status LIMIT %s) AS found) FROM (",
        " UNION ALL ".join(["SELECT %s AS status"] * len(Status)),
        ") AS kind",
    ]
)

#: Ways along the index of an owner's jobs; naming the owner keeps PostgreSQL off everybody's.
NEWEST_FIRST, OLDEST_FIRST = ("owner_id", "-pk"), ("-owner_id", "pk")

#: Kinds of jobs as people look for them: key, name, states.
SHOWN: dict[str, tuple[str, frozenset[Status]]] = {
    "active": ("In progress", frozenset({Status.QUEUED, Status.RUNNING})),
    "ready": ("Ready", frozenset({Status.COMPLETED})),
    "archived": ("Archived", frozenset({Status.ARCHIVING, Status.ARCHIVED})),
    "returning": ("Coming back", frozenset({Status.THAWING, Status.RESTORING})),
    "failed": ("Failed", frozenset({Status.FAILED})),
    "cancelled": ("Cancelled", frozenset({Status.CANCELLED})),
}


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: a kind, words of name or file name, days (UTC), and a page of it."""

    show: str = ""
    q: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None
    after: int | None = None

    @classmethod
    def of(cls, sent: QueryDict) -> Self:
        """Read it from an address or a form; what makes no sense is left out."""
        wanted = cls(**JobList(sent).understood)
        return wanted if wanted.show in SHOWN else replace(wanted, show="")

    @property
    def is_narrow(self) -> bool:
        """Whether jobs are left out by more than their kind."""
        return bool(self.q or self.since or self.until)

    def query(self, **changes: Any) -> str:
        """Write it as the query of an address, with some parts changed."""
        return urlencode(replace(self, **changes).parts)

    @property
    def parts(self) -> dict[str, str]:
        """What is said of it, by name."""
        return {name: str(part) for name, part in asdict(self).items() if part}

    @property
    def newest(self) -> Self:
        """The first page of the same."""
        return replace(self, before=None, after=None)


@dataclass(frozen=True)
class Chip:
    """One kind of jobs, how many there are at least, and whether there are more."""

    key: str
    name: str
    count: int
    more: bool
    query: str


@dataclass(frozen=True)
class Page:
    """Some jobs, newest first, and the ids beyond which the next pages lie on either side."""

    jobs: list[Job]
    older_than: int | None = None
    newer_than: int | None = None


class CountOf(Subquery):
    """The number of rows that a subquery, which has a limit, finds."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS found)"
    output_field = IntegerField()


def chips(owner: User, wanted: Wanted) -> list[Chip]:
    """Count what is found of each kind, in one query; the first chip is all of it."""
    counts, ended = _counts(owner, wanted)
    every = _chip("", "All", counts, Status, wanted, ended=ended)
    kinds = [
        _chip(key, name, counts, states, wanted, ended=ended)
        for key, (name, states) in SHOWN.items()
    ]
    return [every, *(chip for chip in kinds if chip.count or chip.more or chip.key == wanted.show)]


def _chip(
    key: str,
    name: str,
    counts: dict[str, int],
    states: Iterable[Status],
    wanted: Wanted,
    *,
    ended: bool,
) -> Chip:
    of_each = [counts.get(status, 0) for status in states]
    shown = sum(min(count, MOST_COUNTED) for count in of_each)
    more = not ended or any(count > MOST_COUNTED for count in of_each)
    return Chip(key, name, shown, more, wanted.newest.query(show=key))


def _counts(owner: User, wanted: Wanted) -> tuple[dict[str, int], bool]:
    """How many jobs of each state are found, and whether all that have the words were looked at."""
    if wanted.is_narrow:  # no index has words and states: look at the newest alone, once
        found = _found(owner, wanted).select_related(None)
        states = found.order_by(*NEWEST_FIRST).values_list("status", flat=True)
        met = list(states[: MOST_LOOKED_AT + 1])
        return Counter(met[:MOST_LOOKED_AT]), len(met) <= MOST_LOOKED_AT
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [owner.pk, MOST_COUNTED + 1, *Status])
        return dict(cursor.fetchall()), True


def page(
    owner: User,
    wanted: Wanted,
    *,
    states: Collection[Status] = (),
    columns: Collection[str] = (),
    most: int = PAGE,
) -> Page:
    """Return one page of what is found: of the kind that is shown, or of some states.

    Two states are two walks along an index, and never one sort of all that they have. Columns, if
    any are named, are all that is read of a job.
    """
    states = SHOWN[wanted.show][1] if wanted.show in SHOWN else states
    found = _found(owner, wanted, of_a_state=bool(states))
    found = found.only(*columns) if columns else found
    walks = [found.filter(status=status) for status in states] if states else [found]
    if wanted.after is not None:
        return _newer(walks, wanted.after, most)
    if wanted.before is not None:
        walks = [walk.filter(pk__lt=wanted.before) for walk in walks]
    jobs, more = _first(walks, NEWEST_FIRST, most)
    return Page(
        jobs,
        older_than=jobs[-1].pk if more else None,
        newer_than=jobs[0].pk if jobs and wanted.before is not None else None,
    )


def _newer(walks: list[QuerySet[Job]], after: int, most: int) -> Page:
    jobs, more = _first([walk.filter(pk__gt=after) for walk in walks], OLDEST_FIRST, most)
    jobs.reverse()
    if not jobs:
        return Page(jobs)
    return Page(jobs, older_than=jobs[-1].pk, newer_than=jobs[0].pk if more else None)


def _first(walks: list[QuerySet[Job]], order: tuple[str, str], most: int) -> tuple[list[Job], bool]:
    """The first page of several walks in one order, and whether there is more."""
    met = [job for walk in walks for job in walk.order_by(*order)[: most + 1]]
    met.sort(key=lambda job: job.pk, reverse=order is NEWEST_FIRST)
    return met[:most], len(met) > most


def _found(owner: User, wanted: Wanted, *, of_a_state: bool = False) -> QuerySet[Job]:
    """The jobs of an owner that have the words and lie between the days.

    An owner's jobs have their numbers in the order of their dates, so that days are turned into
    numbers, and each list stays a walk along one index.
    """
    mine = Job.objects.filter(owner=owner)
    found = mine.select_related("upload")
    if wanted.q and not (of_a_state or wanted.since or wanted.until):
        # As a range: of one owner the order by owner means nothing, and then PostgreSQL may walk
        # along the numbers of everybody's jobs.
        found = Job.objects.filter(owner_id__gte=owner.pk, owner_id__lte=owner.pk)
        found = found.select_related("upload")
    for word in folded(wanted.q).split():
        found = found.filter(search_text__contains=word)
    if wanted.since:
        later = mine.filter(created_at__gte=_midnight(wanted.since))
        found = found.filter(pk__gte=_number(later.order_by("created_at", "pk")))
    if wanted.until:
        earlier = mine.filter(created_at__lt=_midnight(wanted.until) + timedelta(days=1))
        found = found.filter(pk__lte=_number(earlier.order_by("-created_at", "-pk")))
    return found


def _number(jobs: QuerySet[Job]) -> Subquery:
    return Subquery(jobs.values("pk")[:1])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def version(chips: list[Chip], page: Page) -> str:
    """Name everything that is told of a list that may change while somebody looks at it."""
    told = [(job.pk, job.status) for job in page.jobs], chips, page.older_than, page.newer_than
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
