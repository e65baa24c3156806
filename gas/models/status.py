"""Where a job may be, and the one table of where it may go."""

from django.db import models


class Failure(models.TextChoices):
    """Why a job failed, as far as it matters to who looks after them."""

    INPUT = "input", "The file is no good"
    OURS = "ours", "It broke down on our side"
    PARKED = "parked", "Staff put it aside"


class Status(models.TextChoices):
    """Where a job is; in flight it is owned by exactly one task, at rest by none."""

    QUEUED = "queued", "Queued"  # at rest: waits for annotate
    RUNNING = "running", "Running"  # in flight: annotate
    COMPLETED = "completed", "Completed"  # at rest: results are at hand
    FAILED = "failed", "Failed"  # at rest: `failure` says why
    CANCELLED = "cancelled", "Cancelled"  # at rest, for ever: its owner stopped it
    ARCHIVING = "archiving", "Archiving"  # in flight: archive
    ARCHIVED = "archived", "Archived"  # at rest: results are in the archive only
    THAWING = "thawing", "Thawing"  # in flight: thaw, mostly waiting for the archive
    RESTORING = "restoring", "Restoring"  # in flight: restore


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED, Status.FAILED}),  # by staff
    Status.RUNNING: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED}),
    Status.COMPLETED: frozenset({Status.ARCHIVING}),
    Status.FAILED: frozenset({Status.QUEUED}),  # staff alone, when the fault was ours
    Status.CANCELLED: frozenset(),
    Status.ARCHIVING: frozenset({Status.ARCHIVED}),
    Status.ARCHIVED: frozenset({Status.THAWING}),
    Status.THAWING: frozenset({Status.RESTORING}),
    Status.RESTORING: frozenset({Status.COMPLETED, Status.THAWING}),
}

#: The state from which a task takes a job into the state it works in.
CLAIMED_FROM: dict[Status, Status] = {
    Status.RUNNING: Status.QUEUED,
    Status.ARCHIVING: Status.COMPLETED,
    Status.THAWING: Status.ARCHIVED,
    Status.RESTORING: Status.THAWING,
}

IN_FLIGHT = frozenset(CLAIMED_FROM)
