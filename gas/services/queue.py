"""Where a waiting job stands, by the rule that gives turns (`tasks.turns`), and for how long."""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from django.db.models import (
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
)
from django.db.models.functions import Now

from gas.models import Job, JobEvent, Status
from gas.services import pauses

#: Finished annotations that are looked at, from which the time of one is learned, and the fewest
#: that tell anything.
LOOKED_AT, RECENT, FEWEST = 500, 50, 3
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
    owners = _owners_at_it(job)
    mine = next((each for each in owners if each["owner_id"] == job.owner_id), None)
    if mine is None:  # it has begun just now
        return Place(0, None)
    own = mine["earlier"]
    others = [each for each in owners if each is not mine and each["waiting"]]
    before = own + sum(min(each["waiting"], own + (_turn(each) < _turn(mine))) for each in others)
    return Place(before, _wait(job, before, own, owners))


def _owners_at_it(job: Job) -> list[dict[str, Any]]:
    """Who has jobs waiting or running, how many, of what size, and how many before this one."""
    queued, held = Q(status=Status.QUEUED), Q(status=Status.RUNNING, lease_until__gt=Now())
    moving = Job.objects.filter(status__in=(Status.QUEUED, Status.RUNNING)).order_by()
    owners = moving.values("owner_id").annotate(
        waiting=Count("pk", filter=queued),
        first=Min("pk", filter=queued),
        earlier=Count("pk", filter=queued & Q(pk__lt=job.pk)),
        held=Count("pk", filter=held),
        turn=F("owner__turn_at"),
        sized=Count("upload__size"),
        bytes=Sum("upload__size"),
    )
    return list(owners)


def _turn(owner: dict[str, Any]) -> tuple[float, int]:
    """What owners are ordered by: their last turn, none at all first, then who came first."""
    return (owner["turn"].timestamp() if owner["turn"] else 0.0, owner["first"] or 0)


def _wait(job: Job, before: int, own: int, owners: list[dict[str, Any]]) -> timedelta | None:
    """How long the jobs before it take the workers that are at work, and its owner's their turns.

    Nobody can tell while nothing runs or the queue is paused, or before a few files of such sizes
    have been annotated.
    """
    workers = sum(owner["held"] for owner in owners)
    if not workers or pauses.is_paused(job):
        return None
    times = _recent_times(size=_mean_size(owners))
    if len(times) < FEWEST:
        return None
    rounds = max((before + 1) / workers, (own + 1) / job.owner.limits.max_running_jobs)
    return timedelta(seconds=rounds * median(times))


def _mean_size(owners: list[dict[str, Any]]) -> float:
    sized = sum(owner["sized"] for owner in owners)
    return sum(owner["bytes"] or 0 for owner in owners) / sized if sized else 0


def _recent_times(*, size: float) -> list[float]:
    """Seconds that each of the last annotations took of files of about such a size."""
    finished = JobEvent.objects.filter(before=Status.RUNNING, after=Status.COMPLETED)
    begun = JobEvent.objects.filter(
        job=OuterRef("job"), before=Status.QUEUED, pk__lt=OuterRef("pk")
    )
    began = Subquery(begun.order_by("-pk").values("at")[:1])
    last = finished.order_by("-pk").values("pk")[:LOOKED_AT]
    alike = JobEvent.objects.filter(
        pk__in=last, job__upload__size__range=(size / ALIKE, size * ALIKE)
    ).annotate(took=ExpressionWrapper(F("at") - began, output_field=DurationField()))
    spans = alike.order_by("-pk").values_list("took", flat=True)[:RECENT]
    return [span.total_seconds() for span in spans if span is not None]
