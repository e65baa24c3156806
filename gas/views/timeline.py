"""A job's history in a researcher's words, and what comes next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gas.models import Job, JobEvent, Status

#: What a change of state means to the owner. Reasons are left out: they speak to operators.
_TITLES = {
    ("", Status.QUEUED): "Submitted",
    (Status.QUEUED, Status.RUNNING): "Annotation started",
    (Status.RUNNING, Status.COMPLETED): "Results ready",
    (Status.COMPLETED, Status.ARCHIVING): "Move to the archive started",
    (Status.ARCHIVING, Status.ARCHIVED): "In the archive",
    (Status.ARCHIVED, Status.THAWING): "Asked back from the archive",
    (Status.THAWING, Status.RESTORING): "Out of the archive, being copied back",
    (Status.RESTORING, Status.COMPLETED): "Results ready again",
    (Status.RESTORING, Status.THAWING): "Asked back from the archive once more",
    (Status.FAILED, Status.QUEUED): "Queued again by us",
}

#: What became of a job that stayed where it was.
_AGAIN = {
    "sent again": "Asked for again",
    "asked back": "Asked for again",
    "redriven": "Asked for again",
    "stalled": "Met a problem on our side",
    "handed back": "Handed on to another machine",
    "mended": "The problem was mended",
    "archived now": "Sent to the archive by us",
    "thawed by staff": "Asked back from the archive by us",
}

_AHEAD = {
    Status.QUEUED: ["Annotation", "Results ready"],
    Status.RUNNING: ["Results ready"],
    Status.ARCHIVING: ["In the archive"],
    Status.THAWING: ["Copied back", "Results ready again"],
    Status.RESTORING: ["Results ready again"],
}

#: A job that an archive keeps waiting may have had many small steps.
MOST = 50


@dataclass(frozen=True)
class Moment:
    """One thing that happened, and how long after the one before."""

    title: str
    status: str
    at: datetime
    after: timedelta | None


def events_of(job: Job) -> list[JobEvent]:
    """The last of a job's events, oldest first."""
    return list(job.events.order_by("-pk")[:MOST])[::-1]


def history(events: list[JobEvent]) -> list[Moment]:
    """Return what happened to a job, in words."""
    moments: list[Moment] = []
    for event in events:
        after = event.at - moments[-1].at if moments else None
        moments.append(Moment(_title(event), event.after, event.at, after))
    return moments


def ahead(job: Job) -> list[str]:
    """Name the steps that are still to come, if nobody interferes."""
    return _AHEAD.get(job.state, [])


def _title(event: JobEvent) -> str:
    if event.before == event.after:
        return _AGAIN.get(event.reason.partition(":")[0], "Taken up again after a break")
    after = Status(event.after)
    return _TITLES.get((event.before, after), after.label)
