"""What the page of a job tells: the part that moves, and all of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.utils import timezone

from gas.models import Job, JobEvent, ResultFile, Status
from gas.services import pauses, queue, reruns
from gas.services.queue import Place
from gas.templatetags.wording import roughly
from gas.views import findings, making, timeline

#: How long a retrieval takes by its tier, as Amazon says, and at most.
WAITS = {
    "": ("", None),
    "Expedited": ("1 to 5 minutes", timedelta(minutes=5)),
    "Standard": ("3 to 5 hours", timedelta(hours=5)),
    "Bulk": ("5 to 12 hours", timedelta(hours=12)),
}

#: What the annotator is at, by its own words for it, in this order.
STAGES = {
    "": "Fetching your file",
    "sort": "Sorting",
    "annotate": "Annotating",
    "write": "Writing the results",
    "done": "Putting the results away",
}

#: States in which a job has no results, and never had.
FRESH = (Status.QUEUED, Status.RUNNING)


@dataclass(frozen=True)
class Line:
    """One line of the log of a job that runs."""

    at: datetime
    words: str


@dataclass(frozen=True)
class Stage:
    """One stage of a running job: over, going on, or still to come."""

    name: str
    is_over: bool
    is_now: bool


def is_moving(job: Job) -> bool:
    """Tell whether the page should ask again: a task has the job, or is about to."""
    due = job.wake_at is not None and job.wake_at <= timezone.now()
    return not job.is_at_rest or (due and job.state in (Status.COMPLETED, Status.ARCHIVED))


def now(job: Job) -> dict[str, Any]:
    """What moves while somebody looks, and the name of all that the page depends on."""
    if job.state not in FRESH:
        prefetch_related_objects([job], "files")
    events, place, moving = timeline.events_of(job), queue.place_of(job), is_moving(job)
    held = pauses.told(job)
    left = (job.due_at - timezone.now()).total_seconds() if job.due_at else 0
    tier = _tier(job)
    state = f"{job.status}.{events[-1].pk if events else 0}.{tier}.{moving:d}.{job.is_stalled:d}"
    return {
        "job": job,
        "events": events,
        "version": f"{state}/{job.stage}.{job.percent}.{_said(place)}.{held}",
        "moving": moving,
        "place": place,
        "held": held,
        "stage": STAGES.get(job.stage, "Working"),
        "stages": _stages(job.stage),
        "lines": _lines(job, events),
        "seconds_left": max(0, round(left)),
        "tier": tier,
    }


def only_further(seen: str, version: str) -> bool:
    """Whether a job is where it was seen, and merely further on there."""
    return seen.partition("/")[0] == version.partition("/")[0]


def whole(job: Job, moving: dict[str, Any]) -> dict[str, Any]:
    """Everything that the page tells."""
    events, tier = moving["events"], moving["tier"]
    wait, longest = WAITS[tier]
    asked_at = _since(events, Status.THAWING)
    back_by = asked_at + longest if asked_at and longest else None
    return {
        **moving,
        "can_cancel": job.state in FRESH,
        "no_rerun": reruns.obstacle(job),
        "history": timeline.history(events),
        "ahead": timeline.ahead(job),
        "findings": findings.of(job) if job.state not in FRESH else None,
        "making": making.of(job) if job.state not in FRESH else None,
        "files": _in_order(job) if job.state not in FRESH else [],
        "retention": settings.FREE_RETENTION,
        "inputs_kept": settings.INPUTS_KEPT,
        "wait": wait,
        "back_by": back_by,
        "is_late": back_by is not None and back_by < timezone.now(),
        "asked_at": asked_at,
        "restored_at": _restored_at(events),
    }


def _in_order(job: Job) -> list[ResultFile]:
    order = [kind.value for kind in ResultFile.NAMES]
    return sorted(job.files.all(), key=lambda file: order.index(file.kind))


def _tier(job: Job) -> str:
    """The tier of the file that comes last."""
    if job.state in FRESH:
        return ""
    slowness = list(WAITS)
    return max((file.retrieval_tier for file in job.files.all()), key=slowness.index, default="")


def _said(place: Place | None) -> str:
    if place is None:
        return ""
    return f"{place.before} {roughly(place.wait) if place.wait else ''}"


def _stages(current: str) -> list[Stage]:
    names = list(STAGES)
    at = names.index(current) if current in STAGES else 0
    return [Stage(STAGES[name], number < at, number == at) for number, name in enumerate(names)]


def _lines(job: Job, events: list[JobEvent]) -> list[Line]:
    """What a running job has been at, and how far it is."""
    begun = _since(events, Status.RUNNING)
    if job.state is not Status.RUNNING or begun is None:
        return []
    lines = [Line(begun, STAGES[""])]
    lines += [Line(datetime.fromisoformat(at), STAGES.get(name, name)) for name, at in job.stages]
    if job.stages:
        lines[-1] = Line(lines[-1].at, f"{lines[-1].words}: {job.percent} %")
    return lines


def _since(events: list[JobEvent], state: Status) -> datetime | None:
    """When a job came into a state last."""
    return next((e.at for e in reversed(events) if e.after == state and e.before != state), None)


def _restored_at(events: list[JobEvent]) -> datetime | None:
    """When results that are at hand came back from the archive, if they were there."""
    last = events[-1] if events else None
    back = last and (last.before, last.after) == (Status.RESTORING, Status.COMPLETED)
    return last.at if last and back else None
