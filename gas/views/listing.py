"""The list of jobs: in pages of a key, never of an offset, and by what people look for."""

from dataclasses import dataclass

from django.db.models import Count

from gas.models import Job, Status, User

PAGE = 25

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
class Chip:
    """One kind of jobs and how many there are."""

    key: str
    name: str
    count: int


@dataclass(frozen=True)
class Page:
    """Some jobs, newest first, and the id before which the next page starts."""

    jobs: list[Job]
    older_than: int | None


def chips(owner: User) -> list[Chip]:
    """Count the jobs of each kind; the first chip is all of them."""
    rows = owner.jobs.order_by().values_list("status").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(rows)
    every = Chip("", "All", sum(counts.values()))
    kinds = (
        Chip(key, name, sum(counts.get(status, 0) for status in states))
        for key, (name, states) in SHOWN.items()
    )
    return [every, *(chip for chip in kinds if chip.count)]


def page(owner: User, *, show: str = "", before: int | None = None) -> Page:
    """Return one page of a kind of jobs, or of all."""
    found = owner.jobs.select_related("upload").order_by("-pk")
    if show in SHOWN:
        found = found.filter(status__in=SHOWN[show][1])
    if before is not None:
        found = found.filter(pk__lt=before)
    jobs = list(found[: PAGE + 1])
    more = len(jobs) > PAGE
    return Page(jobs[:PAGE], older_than=jobs[PAGE - 1].pk if more else None)
