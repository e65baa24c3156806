"""What each account keeps and what that costs, counted anew from time to time, a few at once."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from gas import prices
from gas.models import Job, ResultFile, Upload, Usage, User

#: Accounts that one sweep counts, the longest uncounted first, and how long a count is good.
MOST = 50
GOOD_FOR = timedelta(minutes=5)

COUNTED = [
    "jobs",
    "input_bytes",
    "result_bytes",
    "archived_bytes",
    "archived_files",
    "monthly_microdollars",
    "counted_at",
]


def count() -> int:
    """Count some accounts; returns how many."""
    new = User.objects.filter(usage=None).order_by("pk").values_list("pk", flat=True)
    old = Usage.objects.filter(counted_at__lt=Now() - GOOD_FOR).order_by("counted_at")
    ids = list(new[:MOST])
    ids += list(old.values_list("pk", flat=True)[: MOST - len(ids)])
    count_these(ids)
    return len(ids)


def count_these(ids: list[int]) -> None:
    """Count what these accounts keep; one that goes meanwhile has no count."""
    found = _found(ids)
    with transaction.atomic():
        users = User.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids)
        rows = [_row(user_id, found) for user_id in users.values_list("pk", flat=True)]
        Usage.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["user"], update_fields=COUNTED
        )


def _found(ids: list[int]) -> dict[int, dict[str, Any]]:
    """What each of these accounts keeps, in three questions about all of them."""
    archived, at_hand = ~Q(archive_id=""), Q(archive_id="")
    results = ResultFile.objects.filter(job__owner__in=ids).values("job__owner")
    inputs = Upload.objects.filter(
        owner__in=ids, status=Upload.Status.COMPLETE, removed_at=None
    ).values("owner")
    totals: dict[int, dict[str, Any]] = {number: {} for number in ids}
    for row in results.annotate(
        result_bytes=Sum("size", filter=at_hand, default=0),
        archived_bytes=Sum("size", filter=archived, default=0),
        archived_files=Count("pk", filter=archived),
    ):
        totals[row.pop("job__owner")].update(row)
    for row in inputs.annotate(input_bytes=Sum("size", default=0)):
        totals[row.pop("owner")].update(row)
    for row in (
        Job.objects.filter(owner__in=ids).order_by().values("owner").annotate(jobs=Count("pk"))
    ):
        totals[row.pop("owner")].update(row)
    return totals


def _row(user_id: int, found: dict[int, dict[str, Any]]) -> Usage:
    row = Usage(user_id=user_id, counted_at=timezone.now(), **found[user_id])
    dollars = prices.monthly(
        at_hand=row.input_bytes + row.result_bytes,
        in_archive=row.archived_bytes,
        files_in_archive=row.archived_files,
    )
    row.monthly_microdollars = round(dollars * 1_000_000)
    return row
