"""What a plan has room for: the same sentence before a file is sent and before it is queued."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, BigIntegerField, Count, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.template.defaultfilters import filesizeformat

from gas.models import Plan, ResultFile, Status, Upload, User


@dataclass(frozen=True)
class Room:
    """What of a plan is in use: jobs waiting or running, bytes at hand or on their way here."""

    plan: Plan
    active_jobs: int
    kept_bytes: int

    @property
    def hindrance(self) -> str:
        """One sentence on why nothing can be submitted now, or nothing."""
        if self.active_jobs < self.plan.max_active_jobs:
            return ""
        return (
            f"You have {self.active_jobs} jobs queued or running, which is what your plan allows; "
            "please submit again when one has finished."
        )

    def hindrance_to(self, size: int) -> str:
        """One sentence on why a file of so many bytes more cannot be taken now, or nothing."""
        kept, most = self.kept_bytes + size, self.plan.max_stored_bytes
        if self.hindrance or kept <= most:
            return self.hindrance
        return (
            f"With this file you would have {filesizeformat(kept)} of files and results here, and "
            f"your plan keeps {filesizeformat(most)}; please delete jobs you no longer need."
        )


def room_of(owner: User, *, without: Upload | None = None) -> Room:
    """How much of their plan somebody uses, not counting one upload; one question."""
    active = owner.jobs.filter(status__in=(Status.QUEUED, Status.RUNNING))
    uploads = owner.uploads.exclude(pk=without.pk) if without else owner.uploads.all()
    arrived = uploads.filter(status=Upload.Status.COMPLETE, removed_at=None)
    coming = uploads.filter(~Q(parts_id=""), status=Upload.Status.PENDING)
    at_hand = ResultFile.objects.filter(job__owner=owner, archive_id="")
    plan = Plan.objects.annotate(
        active=_total(active, "owner", Count("pk")),
        arrived=_total(arrived, "owner", Sum("size")),
        coming=_total(coming, "owner", Sum("announced")),
        at_hand=_total(at_hand, "job__owner", Sum("size")),
    ).get(pk=owner.plan_id)
    return Room(plan, plan.active, plan.arrived + plan.coming + plan.at_hand)


def _total(rows: QuerySet[Any], owner: str, total: Aggregate) -> Coalesce:
    """A total of somebody's rows as part of another question, 0 without rows."""
    totals = rows.order_by().values(owner).annotate(total=total).values("total")
    return Coalesce(Subquery(totals), 0, output_field=BigIntegerField())


def refusal_of(size: int, plan: Plan) -> str:
    """One sentence on why a plan takes no file of so many bytes, or nothing."""
    if size <= plan.max_upload_bytes:
        return ""
    return f"The file has {size:,} bytes; your plan takes {plan.max_upload_bytes:,}."
