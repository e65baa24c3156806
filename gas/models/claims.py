"""The guarded updates that move jobs: the only writers of `status`."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from gas import metrics
from gas.models.account import User
from gas.models.announcements import owe_announcement
from gas.models.audit import JobEvent
from gas.models.leases import LET_GO, SILENT, UNHELD, held_by
from gas.models.status import CLAIMED_FROM, TRANSITIONS, Status
from gas.models.webhooks import owe_calls

if TYPE_CHECKING:
    from gas.models.job import Job

#: The columns of a job that staff need not look at.
WELL: dict[str, Any] = {"trouble": "", "troubled_at": None}

#: The moves that count as an outcome.
_OUTCOMES: dict[tuple[Status | None, Status], str] = {
    (Status.RUNNING, Status.COMPLETED): "completed",
    (Status.RESTORING, Status.COMPLETED): "restored",
    (None, Status.FAILED): "failed",
    (None, Status.CANCELLED): "cancelled",
    (None, Status.ARCHIVED): "archived",
}

#: The columns of a job whose claim was given up for another worker to take it at once.
RELEASED: dict[str, Any] = {**LET_GO, "wake_at": Now(), "sent_at": Now()}

#: The columns of a job that nobody holds and nothing is sent for: only somebody's word moves it.
AT_REST: dict[str, Any] = {**LET_GO, "wake_at": None, "sent_at": None}

HANDED_BACK = "handed back: the machine of its worker stops"

#: The columns of a job that no annotator works on.
UNTOLD: dict[str, Any] = {"stage": "", "percent": 0, "stages": []}


class LeaseLost(Exception):
    """Another worker has taken the job over, or its owner moved it; this one must let go."""


def _who_may_enter(into: Status) -> Q:
    """The jobs that a task may take: results of one plan archive, of the others thaw.

    What staff ask back thaws on every plan.
    """
    if into is Status.ARCHIVING:
        return Q(owner__in=User.objects.filter(plan__archives=True))
    if into is Status.THAWING:
        return Q(owner__in=User.objects.filter(plan__archives=False)) | ~Q(thaw_tier="")
    return Q()


def _write(
    jobs: "JobQuerySet",
    job_id: int,
    before: Status,
    after: Status,
    actor: str,
    reason: str,
    changes: dict[str, Any],
) -> bool:
    """The one UPDATE of `status`, its event and the calls it owes; what is resumed has none."""
    with transaction.atomic():
        moved = jobs.filter(pk=job_id, status=before).update(status=after, **UNTOLD, **changes)
        if moved and (after is not before or reason):
            JobEvent.objects.create(
                job_id=job_id, actor=actor, before=before, after=after, reason=reason
            )
            owe_calls(job_id, before, after)
            owe_announcement(job_id, before, after)
            if outcome := _OUTCOMES.get((before, after)) or _OUTCOMES.get((None, after)):
                transaction.on_commit(partial(metrics.count, metrics.JOBS, outcome=outcome))
    return bool(moved)


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs, and the guarded updates that are the only writers of `status`.

    All times are the database's, so that a worker with a wrong clock does no harm.
    """

    def due(self) -> "JobQuerySet":
        """Jobs whose next step may be taken now."""
        return self.filter(wake_at__lte=Now())

    def waiting_for_archive(self) -> "JobQuerySet":
        """Jobs that poll the archive until it can be read; not those that staff must mend."""
        return self.filter(status=Status.THAWING, wake_at__isnull=False)

    def wake_thaw(self, job_id: int) -> bool:
        """Make the next poll of a job due now; False when it is due, or another polls it now."""
        waiting = self.waiting_for_archive().filter(UNHELD, pk=job_id, wake_at__gt=Now())
        return waiting.update(wake_at=Now()) == 1

    def claim(self, job_id: int, *, into: Status, worker: str, lease: timedelta) -> "Job | None":
        """Take the job for one task; None when it is not due, held by another, or elsewhere.

        A job is entered from the state before, resumed after its task let it go to wait, or taken
        over from a worker whose lease ran out; each is one guarded UPDATE.
        """
        ways: list[tuple[Status, Q, dict[str, Any], str]] = [
            (CLAIMED_FROM[into], UNHELD & _who_may_enter(into), {"setbacks": 0}, ""),
            (into, UNHELD, {}, ""),
            (into, SILENT, {"setbacks": F("setbacks") + 1}, "taken over from a silent worker"),
        ]
        claim = {"attempt": F("attempt") + 1, "lease_owner": worker, "lease_until": Now() + lease}
        with transaction.atomic():  # what is read is the claim, not what somebody made of it since
            for before, guard, changes, reason in ways:
                ready = self.due().filter(guard)
                if _write(ready, job_id, before, into, worker, reason, claim | changes):
                    if guard is SILENT:
                        metrics.count(metrics.LEASES_EXPIRED, status=into.value)
                    return self.select_related("owner__plan", "upload").get(pk=job_id)
        return None

    def hand_back(self, *, worker: str) -> int:
        """Give up the claims of a worker that has ended, so that nobody waits for its leases.

        To be called when it cannot write any more. Returns how many there were.
        """
        held = self.filter(held_by(worker))
        with transaction.atomic():
            jobs = list(held.select_for_update(of=("self",)))
            held.filter(pk__in=[job.pk for job in jobs]).update(**RELEASED, **UNTOLD)
            for job in jobs:
                JobEvent.objects.create(
                    job=job, actor=worker, before=job.status, after=job.status, reason=HANDED_BACK
                )
        return len(jobs)

    def move(
        self,
        job_id: int,
        before: Status,
        after: Status,
        *,
        actor: str,
        reason: str = "",
        **changes: Any,
    ) -> bool:
        """Move one job of this set between two states and write the event with it.

        False when it is not in `before`, or the guards of the set do not hold.
        """
        if after not in TRANSITIONS[before]:
            raise ValueError(f"a job cannot go from {before} to {after}")
        return _write(self, job_id, before, after, actor, reason, changes)
