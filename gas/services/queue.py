"""Where a waiting job stands, by the rule that gives turns (`tasks.turns`), and for how long."""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from django.db.models import (
    Avg,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Subquery,
)
from django.db.models.functions import Now

from gas.models import Job, JobEvent, Status

#: Finished annotations from which the time of one is learned, and the fewest that tell anything.
RECENT, FEWEST = 50, 3
#: How many times larger or smaller a file may be to tell how long another one takes.
ALIKE = 8


@dataclass(frozen=True)
class Place:
    """How many jobs begin before a job, and how long that takes; None when there is no telling."""

    before: int
    wait: timedelta | None


def place_of(job: Job) -> Place | None:
    """The place of a queued job; None when it does not wait for annotation.

    Owners have one turn each, the longest unserved first; so before somebody's k-th job every
    other owner has k - 1 turns, or k when it is that owner's turn first, if they have so many jobs.
    """
    if job.state is not Status.QUEUED:
        return None
    own = Job.objects.filter(owner_id=job.owner_id, status=Status.QUEUED, pk__lt=job.pk).count()
    before = own + sum(min(waiting, own + first) for waiting, first in _others(job))
    return Place(before, _wait(job, before, own))


def _others(job: Job) -> list[tuple[int, bool]]:
    """How many jobs each other owner has waiting, and whether their turn is before this owner's."""
    queued = Job.objects.filter(status=Status.QUEUED).order_by()
    owners = queued.values("owner_id").annotate(
        waiting=Count("pk"), first=Min("pk"), turn=F("owner__turn_at")
    )
    turns = {owner["owner_id"]: _turn(owner) for owner in owners}
    mine = turns.get(job.owner_id, (0.0, job.pk))
    return [
        (owner["waiting"], turns[owner["owner_id"]] < mine)
        for owner in owners
        if owner["owner_id"] != job.owner_id
    ]


def _turn(owner: dict[str, Any]) -> tuple[float, int]:
    """What owners are ordered by: their last turn, none at all first, then who came first."""
    return (owner["turn"].timestamp() if owner["turn"] else 0.0, owner["first"])


def _wait(job: Job, before: int, own: int) -> timedelta | None:
    """How long the jobs before it take the workers that are at work, and its owner's their turns.

    Nobody can tell while nothing runs, or before a few files of such sizes have been annotated.
    """
    workers = Job.objects.filter(status=Status.RUNNING, lease_until__gt=Now()).count()
    times = _recent_times()
    if not workers or len(times) < FEWEST:
        return None
    rounds = max((before + 1) / workers, (own + 1) / job.owner.plan.max_running_jobs)
    return timedelta(seconds=rounds * median(times))


def _recent_times() -> list[float]:
    """Seconds that each of the last annotations took, of files like those that wait and run."""
    moving = Job.objects.filter(status__in=(Status.QUEUED, Status.RUNNING))
    size = moving.aggregate(size=Avg("upload__size"))["size"] or 0
    begun = JobEvent.objects.filter(
        job=OuterRef("job"), before=Status.QUEUED, pk__lt=OuterRef("pk")
    )
    began = Subquery(begun.order_by("-pk").values("at")[:1])
    finished = JobEvent.objects.filter(
        before=Status.RUNNING,
        after=Status.COMPLETED,
        job__upload__size__range=(size / ALIKE, size * ALIKE),
    ).annotate(took=ExpressionWrapper(F("at") - began, output_field=DurationField()))
    spans = finished.order_by("-pk").values_list("took", flat=True)[:RECENT]
    return [span.total_seconds() for span in spans if span is not None]
