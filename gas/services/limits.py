"""What an account has room for: the same sentence before a file is sent and before it is queued."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, BigIntegerField, Count, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.template.defaultfilters import filesizeformat, pluralize
from django.utils import timezone

from gas.models import Limits, Plan, ResultFile, Status, Upload, User


@dataclass(frozen=True)
class Room:
    """What of the limits is in use: jobs, bytes at hand or on their way here."""

    plan: Plan
    limits: Limits
    active_jobs: int
    kept_bytes: int
    jobs_today: int

    @property
    def hindrance(self) -> str:
        """One sentence on why nothing can be submitted now, or nothing."""
        if self.active_jobs >= self.limits.max_active_jobs:
            return (
                f"You have {self.active_jobs} job{pluralize(self.active_jobs)} queued or running, "
                "which is what your plan allows; please submit again when one has finished."
            )
        most = self.limits.max_jobs_a_day
        if most is not None and self.jobs_today >= most:
            return (
                f"You have submitted {self.jobs_today} job{pluralize(self.jobs_today)} today, "
                "which is what your plan allows in a day; please submit again after midnight (UTC)."
            )
        return ""

    def hindrance_to(self, size: int) -> str:
        """One sentence on why a file of so many bytes more cannot be taken now, or nothing."""
        kept, most = self.kept_bytes + size, self.limits.max_stored_bytes
        if self.hindrance or kept <= most:
            return self.hindrance
        return (
            f"With this file you would have {filesizeformat(kept)} of files and results here, and "
            f"your plan keeps {filesizeformat(most)}; please delete jobs you no longer need."
        )


def room_of(owner: User, *, without: Upload | None = None) -> Room:
    """How much of their limits somebody uses, not counting one upload; one question."""
    active = owner.jobs.filter(status__in=(Status.QUEUED, Status.RUNNING))
    uploads = owner.uploads.exclude(pk=without.pk) if without else owner.uploads.all()
    arrived = uploads.filter(status=Upload.Status.COMPLETE, removed_at=None)
    coming = uploads.filter(~Q(parts_id=""), status=Upload.Status.PENDING)
    at_hand = ResultFile.objects.filter(job__owner=owner, archive_id="")
    user = User.objects.select_related("plan").annotate(
        active=_total(active, "owner", Count("pk")),
        arrived=_total(arrived, "owner", Sum("size")),
        coming=_total(coming, "owner", Sum("announced")),
        at_hand=_total(at_hand, "job__owner", Sum("size")),
    )
    now = user.get(pk=owner.pk)
    kept = now.arrived + now.coming + now.at_hand
    return Room(now.plan, now.limits, now.active, kept, now.jobs_today)


def count(owner: User) -> None:
    """Count a job that is made now; inside the transaction that does, which holds the owner's row.

    Deleting a job makes no room for another on the same day.
    """
    User.objects.filter(pk=owner.pk).update(
        counted_on=timezone.now().date(), counted_jobs=owner.jobs_today + 1
    )


def _total(rows: QuerySet[Any], owner: str, total: Aggregate) -> Coalesce:
    """A total of somebody's rows as part of another question, 0 without rows."""
    totals = rows.order_by().values(owner).annotate(total=total).values("total")
    return Coalesce(Subquery(totals), 0, output_field=BigIntegerField())


def refusal_of(size: int, limits: Limits) -> str:
    """One sentence on why no file of so many bytes is taken, or nothing."""
    if size <= limits.max_upload_bytes:
        return ""
    return f"The file has {size:,} bytes; your plan takes {limits.max_upload_bytes:,}."
