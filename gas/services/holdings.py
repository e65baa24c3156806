"""What of an account's results is in the archive, and what is to go there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q

from gas.models import Status, User

ASLEEP = (Status.ARCHIVING, Status.ARCHIVED)


@dataclass(frozen=True)
class Holdings:
    """Jobs in the archive, those that are to go there, and when the first of these goes."""

    archived_jobs: int
    dated_jobs: int
    first_goes_at: datetime | None


def of(user: User) -> Holdings:
    """Count them, in one question."""
    to_go = Q(status=Status.COMPLETED, wake_at__isnull=False)
    found: dict[str, Any] = user.jobs.aggregate(
        archived_jobs=Count("pk", filter=Q(status__in=ASLEEP)),
        dated_jobs=Count("pk", filter=to_go),
        first_goes_at=Min("wake_at", filter=to_go),
    )
    return Holdings(**found)
