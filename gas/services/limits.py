"""What a plan has room for: the same sentence before a file is sent and before it is queued."""

from dataclasses import dataclass

from django.db.models import Q, Sum
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
    """How much of their plan somebody uses, not counting one upload."""
    return Room(
        plan=owner.plan,
        active_jobs=owner.jobs.filter(status__in=(Status.QUEUED, Status.RUNNING)).count(),
        kept_bytes=_kept_bytes(owner, without),
    )


def refusal_of(size: int, plan: Plan) -> str:
    """One sentence on why a plan takes no file of so many bytes, or nothing."""
    if size <= plan.max_upload_bytes:
        return ""
    return f"The file has {size:,} bytes; your plan takes {plan.max_upload_bytes:,}."


def _kept_bytes(owner: User, without: Upload | None) -> int:
    """Bytes of inputs, of parts that may still come, and of results; the archive does not count."""
    others = owner.uploads.exclude(pk=without.pk) if without else owner.uploads.all()
    kept = others.filter(status=Upload.Status.COMPLETE, removed_at=None)
    coming = others.filter(~Q(parts_id=""), status=Upload.Status.PENDING)
    at_hand = ResultFile.objects.filter(job__owner=owner, archive_id="")
    sums = (
        kept.aggregate(bytes=Sum("size")),
        coming.aggregate(bytes=Sum("announced")),
        at_hand.aggregate(bytes=Sum("size")),
    )
    return sum(found["bytes"] or 0 for found in sums)
