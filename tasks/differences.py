"""The ways in which rows and storage can differ: what was found, and what is done about it.

Listings and rows are read side by side in the order of their keys, a page in memory at a time.
Neither is of one moment, so that each difference is looked at once more by itself before anything
is done. Every look takes `dry_run`: whether to leave everything as it is.
"""

import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Collate, Now
from django.utils import timezone

from celeryconfig import QUEUES
from gas.models import Alarm, Discard, Job, ResultFile, Status, Upload
from gas.storage import inventory, objects, result_sets, tombstones
from gas.storage.errors import ObjectMissing
from gas.storage.locations import Location, results
from tasks import put_back

T = TypeVar("T")

#: Bytes younger than this may belong to an attempt at work, which has no row for them yet.
SAFE_AGE = max(timedelta(days=2), 3 * max(queue.time_limit for queue in QUEUES.values()))

#: Rows and keys that are in memory at a time.
PAGE = 1000

#: States in which what has a receipt is in the archive only.
PUT_AWAY = (Status.ARCHIVED, Status.THAWING, Status.RESTORING)


#: What is said of a job whose rows were put back, and whose bytes have moved meanwhile.
FOLLOWED = "results that lie elsewhere than their rows say"


class Difference(NamedTuple):
    """One thing that was found: its kind, and which it is."""

    what: str
    which: str


def deleted_since(dry_run: bool) -> Iterator[Difference]:
    """Delete again what a database that was put back has brought back."""
    for number in put_back.deleted_jobs(dry_run):
        yield Difference("jobs that their owners deleted", str(number))
    for number in put_back.left_accounts(dry_run):
        yield Difference("accounts that their owners left", str(number))


def outlived_inputs(dry_run: bool) -> Iterator[Difference]:
    """Give up inputs of jobs that failed or were cancelled long ago; results keep their input."""
    uses = Job.objects.filter(upload=OuterRef("pk"))
    ended = Q(status__in=[Status.FAILED, Status.CANCELLED])
    needed = uses.filter(~ended | Q(completed_at__gte=Now() - settings.INPUTS_KEPT))
    over = Upload.objects.filter(
        Exists(uses), ~Exists(needed), status=Upload.Status.COMPLETE, removed_at=None
    )
    for upload in over.iterator(PAGE):
        if not dry_run:
            with transaction.atomic():
                # Wait for whoever is making a job of it, then look again: a job that this very
                # transaction waited for is not seen by the statement that waited.
                Upload.objects.select_for_update(of=("self",)).filter(pk=upload.pk).first()
                if over.filter(pk=upload.pk).update(removed_at=Now()):
                    result_sets.discard_input(upload)
            result_sets.destroy_input(upload.key)
        yield Difference("inputs of jobs that ended long ago", str(upload.pk))


def inputs_and_uploads(dry_run: bool) -> Iterator[Difference]:
    """Destroy inputs that no upload in use leads to, such as those sent by a form used twice."""
    old = _old_keys(inventory.objects_of(settings.BUCKETS["inputs"]))
    for keys in _pages(old):
        numbers = [number for key in keys if (number := _upload_of(key))]
        used = Upload.objects.filter(pk__in=numbers, removed_at=None)
        kept = {upload.key for upload in used.exclude(status=Upload.Status.REFUSED)}
        places = [Location(settings.BUCKETS["inputs"], key) for key in keys if key not in kept]
        yield from _destroy(Discard.Kind.OBJECT, map(str, places), "inputs without upload", dry_run)


def _upload_of(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key.split("/")[2])
    except (IndexError, ValueError):
        return None


def results_and_rows(dry_run: bool) -> Iterator[Difference]:
    """Destroy results that no row leads to; raise an alarm for those that are not there."""
    rows = ResultFile.objects.filter(archive_id="")
    listed = (
        (found.location.key, found.modified_at)
        for found in inventory.objects_of(settings.BUCKETS["results"])
        if not found.location.key.startswith(tombstones.PREFIX)
    )
    pairs = side_by_side(listed, _in_order(rows, "key"))
    for page in _pages(pairs):
        orphans = _without_row(
            [key for key, modified, row in page if row is None and _old(modified)]
        )
        followed = yield from _follow(map(put_back.job_of, orphans), dry_run)
        orphans = [key for key in orphans if put_back.job_of(key) not in followed]
        places = [str(results(key)) for key in orphans]
        yield from _destroy(Discard.Kind.OBJECT, places, "results without a row", dry_run)
        for row in [row for _, modified, row in page if row and modified is None]:
            if _is_missing(row.key) and rows.filter(pk=row.pk, key=row.key).exists():
                if row.job_id not in followed:
                    followed |= yield from _follow([row.job_id], dry_run)
                if row.job_id not in followed:
                    yield _alarm(row, str(results(row.key)), "results that are missing", dry_run)


def _without_row(keys: list[str]) -> list[str]:
    """Those of these keys that are there, and in no row but those of files that were archived."""
    rows = ResultFile.objects.filter(job__in=_jobs_of(keys))
    moved = ~Q(archive_id="") & Q(job__status__in=PUT_AWAY)
    kept = set(rows.exclude(moved).values_list("key", flat=True))
    return [key for key in keys if key not in kept and not _is_missing(key)]


def _is_missing(key: str) -> bool:
    try:
        objects.head(results(key))
    except ObjectMissing:
        return True
    return False


def copies_and_receipts(dry_run: bool) -> Iterator[Difference]:
    """Destroy archived copies without a receipt; raise an alarm for receipts without a copy.

    A Glacier vault cannot be asked what it holds: there nothing is compared.
    """
    copies = result_sets.archived_copies()
    if copies is None:
        return
    rows = ResultFile.objects.exclude(archive_id="")
    for page in _pages(side_by_side(copies, _in_order(rows, "archive_id"))):
        receipts = [receipt for receipt, stored, row in page if row is None and _old(stored)]
        known = set(rows.filter(archive_id__in=receipts).values_list("archive_id", flat=True))
        orphans = [each for each in receipts if each not in known and not result_sets.is_lost(each)]
        followed = yield from _follow(map(put_back.job_of, orphans), dry_run)
        orphans = [each for each in orphans if put_back.job_of(each) not in followed]
        what = "archived copies without a receipt"
        yield from _destroy(Discard.Kind.ARCHIVE, orphans, what, dry_run)
        for row in [row for _, stored, row in page if row and stored is None]:
            same = rows.filter(pk=row.pk, archive_id=row.archive_id)
            if result_sets.is_lost(row.archive_id) and same.exists():
                if row.job_id not in followed:
                    followed |= yield from _follow([row.job_id], dry_run)
                if row.job_id not in followed:
                    what = "receipts whose copy is missing"
                    yield _alarm(row, row.archive_id, what, dry_run)


def _follow(job_ids: Iterable[int], dry_run: bool) -> Generator[Difference, None, set[int]]:
    """Let rows follow bytes that have moved, before any is destroyed; returns of which jobs."""
    followed = {each for each in set(job_ids) if put_back.follow(each, dry_run=dry_run)}
    for job_id in sorted(followed):
        yield Difference(FOLLOWED, f"job {job_id}")
    return followed


def open_parts(dry_run: bool) -> Iterator[Difference]:
    """Abort uploads in parts that nobody has completed for days, and no row waits for."""
    awaited = Upload.objects.exclude(give_up_at=None)
    for bucket in settings.BUCKETS.values():
        for upload in inventory.open_uploads(bucket):
            if _old(upload.begun_at) and not awaited.filter(parts_id=upload.id).exists():
                if not dry_run:
                    inventory.abort(upload)
                yield Difference("uploads in parts that never ended", str(upload.location))


def side_by_side(
    listed: Iterable[tuple[str, datetime]], rows: Iterable[tuple[str, ResultFile]]
) -> Iterator[tuple[str, datetime | None, ResultFile | None]]:
    """Pair what lies in storage with rows, both in the order of their keys; None for what lacks."""
    both: Iterator[tuple[str, datetime | ResultFile]] = merge(listed, rows, key=itemgetter(0))
    for key, group in groupby(both, itemgetter(0)):
        found = [thing for _, thing in group]
        modified = next((thing for thing in found if isinstance(thing, datetime)), None)
        yield key, modified, next((row for row in found if isinstance(row, ResultFile)), None)


def _in_order(rows: QuerySet[ResultFile], column: str) -> Iterator[tuple[str, ResultFile]]:
    """Yield rows in the order of a column's bytes, which is that of listings."""
    collation = "C" if connection.vendor == "postgresql" else "BINARY"
    for row in rows.order_by(Collate(column, collation)).iterator(PAGE):
        yield getattr(row, column), row


def _pages(things: Iterable[T]) -> Iterator[list[T]]:
    source = iter(things)
    while page := list(islice(source, PAGE)):
        yield page


def _old_keys(listed: Iterable[inventory.Listed]) -> Iterator[str]:
    return (found.location.key for found in listed if _old(found.modified_at))


def _old(modified: datetime | None) -> bool:
    return modified is not None and modified < timezone.now() - SAFE_AGE


def _jobs_of(keys: Iterable[str]) -> list[int]:
    """The numbers of the jobs that keys such as `results/7/1/summary.json` name."""
    numbers = {key.split("/")[1] for key in keys if key.count("/") == 3}
    return [int(number) for number in numbers if number.isascii() and number.isdigit()]


def _destroy(
    kind: Discard.Kind, places: Iterable[str], what: str, dry_run: bool
) -> Iterator[Difference]:
    """Write down that these bytes are to go, then destroy them."""
    discards = [Discard(kind=kind, place=place) for place in places]
    if discards and not dry_run:
        result_sets.carry_out(Discard.objects.bulk_create(discards))
    return (Difference(what, discard.place) for discard in discards)


def _alarm(row: ResultFile, place: str, what: str, dry_run: bool) -> Difference:
    """Tell staff, and its owner on the page of the job, that bytes are not where they should be."""
    if not dry_run:
        trouble = f"{row.name} is not at {place}"
        with transaction.atomic():
            Alarm.raise_once(f"missing {place}", f"Job {row.job_id}: {trouble}", job=row.job)
            Job.objects.filter(pk=row.job_id).update(
                trouble=trouble, troubled_at=Coalesce("troubled_at", Now())
            )
    return Difference(what, place)


#: Every look, in the order in which they are taken.
LOOKS: tuple[Callable[[bool], Iterator[Difference]], ...] = (
    deleted_since,
    outlived_inputs,
    inputs_and_uploads,
    results_and_rows,
    copies_and_receipts,
    open_parts,
)
