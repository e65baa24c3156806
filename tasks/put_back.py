"""What a database that was put back to an earlier moment does not know, told by storage.

Jobs and accounts that were deleted since have a tombstone there: they go again. Results that moved
since, into the archive or out of it, lie elsewhere than their rows say: the rows follow them. On a
good day nothing of this is found: whatever destroys bytes first sees to it that no row needs them.
"""

import logging
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from gas.models import IN_FLIGHT, Job, ResultFile, Status, User
from gas.models.claims import AT_REST, WELL
from gas.models.leases import FREE
from gas.storage import inventory, objects, removal, result_sets, tombstones
from gas.storage.locations import results
from gas.storage.tombstones import Buried, Tombstone
from tasks import leaving

logger = logging.getLogger(__name__)

#: Who is named in the events of jobs.
ACTOR = "reconcile"
WHY = "the database was put back to an earlier moment"

#: The states of a job with results, in the order in which one leads to the next, and round again.
ROUND = (
    Status.COMPLETED,
    Status.ARCHIVING,
    Status.ARCHIVED,
    Status.THAWING,
    Status.RESTORING,
)

#: Tombstones that are looked at together.
PAGE = 1000


class Found(NamedTuple):
    """Where all of the large results of a job were found: each file's key and receipt."""

    status: Status
    places: dict[int, tuple[str, str]]  # by the number of the file's row


def deleted_jobs(dry_run: bool) -> Iterator[int]:
    """Delete jobs again that their owners deleted; yields their numbers."""
    for buried in _pages(Buried.JOB, dry_run):
        for job in Job.objects.filter(pk__in=buried):
            if job.created_at < buried[job.pk].at:  # else another job that bears this number
                if not dry_run and removal.remove_job(job):
                    removal.remove_unused(job.upload_id, job_id=job.pk)
                    result_sets.destroy_given_up(job.pk)
                yield job.pk


def left_accounts(dry_run: bool) -> Iterator[int]:
    """Close accounts again that their owners left; the sweep empties them. Yields their numbers."""
    for buried in _pages(Buried.ACCOUNT, dry_run):
        for user in User.objects.filter(pk__in=buried, left_at=None):
            if user.date_joined < buried[user.pk].at:
                if not dry_run:
                    leaving.close(user, actor=ACTOR)
                yield user.pk


def _pages(what: Buried, dry_run: bool) -> Iterator[dict[int, Tombstone]]:
    """Tombstones by number; those older than any backup are taken away."""
    every = tombstones.every(what)
    while page := list(islice(every, PAGE)):
        oldest = timezone.now() - settings.BACKUPS_KEPT
        if not dry_run:
            objects.delete([stone.place for stone in page if stone.at < oldest])
        yield {stone.number: stone for stone in page if stone.at >= oldest}


def follow(job_id: int, *, dry_run: bool) -> bool:
    """Let the rows of a job follow its results to where they are; False when they are not there.

    Nothing is believed by its name: all large files lie in one place, with their SHA-256.
    """
    job = Job.objects.filter(FREE, pk=job_id, status__in=ROUND).first()
    files = result_sets.to_archive(job) if job else []
    if job is None or not any(map(result_sets.is_gone, files)):
        return False
    found = _at_hand(job, files) or _in_archive(job, files)
    if found is None:
        return False
    return dry_run or _follow(job, files, found)


def _at_hand(job: Job, files: list[ResultFile]) -> Found | None:
    """The newest attempt under which every file lies."""
    prefixes = {f"{place.key.rpartition('/')[0]}/" for place in result_sets.keys_of(job)}
    for prefix in sorted(prefixes, key=result_sets.attempt_of, reverse=True):
        at = {file.pk: prefix + file.name for file in files}
        if all(objects.holds(results(at[f.pk]), sha256=f.sha256, size=f.size) for f in files):
            return Found(Status.COMPLETED, {number: (key, "") for number, key in at.items()})
    return None


def _in_archive(job: Job, files: list[ResultFile]) -> Found | None:
    """A verified copy of every file; those that are on their way back stay so."""
    places: dict[int, tuple[str, str]] = {}
    for file in files:
        receipt = result_sets.found_in_archive(file)
        if receipt is None:
            return None
        places[file.pk] = (file.key, receipt)
    awake = job.state in (Status.COMPLETED, Status.ARCHIVING)
    return Found(Status.ARCHIVED if awake else job.state, places)


@transaction.atomic
def _follow(job: Job, files: list[ResultFile], found: Found) -> bool:
    """Change the rows unless somebody has changed them since they were read."""
    same: QuerySet[Job] = Job.objects.filter(
        FREE, pk=job.pk, attempt=job.attempt, status=job.status
    )
    if same.select_for_update(of=("self",)).first() is None:
        return False
    for file in files:
        file.key, file.archive_id = found.places[file.pk]
        file.retrieval_id = file.retrieval_tier = ""
    fields = ["key", "archive_id", "retrieval_id", "retrieval_tier"]
    ResultFile.objects.bulk_update(files, fields)
    _move(job, found.status)
    _note(job, files, found.status)
    logger.warning("job %s follows its results: %s", job.pk, found.status)
    return True


def _move(job: Job, to: Status) -> None:
    """Go round to a state by the moves that there are, each with its event."""
    while job.state is not to:
        after = ROUND[(ROUND.index(job.state) + 1) % len(ROUND)]
        stamp: dict[str, Any] = {"archived_at": Now()} if after is Status.ARCHIVED else {}
        Job.objects.move(job.pk, job.state, after, actor=ACTOR, reason=WHY, **AT_REST, **stamp)
        job.status = after


def _note(job: Job, files: list[ResultFile], status: Status) -> None:
    """No longer in trouble; where results are at hand, no attempt is begun under their number.

    A step that rested for want of the bytes goes on: the sweep sends for it.
    """
    changes: dict[str, Any] = {**WELL, "setbacks": 0}
    if status in IN_FLIGHT:
        changes["wake_at"] = Coalesce("wake_at", Now())
    if status is Status.COMPLETED:
        prefix = files[0].key.removesuffix(files[0].name)
        changes |= {
            "result_prefix": prefix,
            "attempt": Greatest("attempt", result_sets.attempt_of(prefix)),
        }
    Job.objects.filter(pk=job.pk).update(**changes)


def raise_attempts() -> int:
    """Begin no attempt under a number that has results already; returns of how many jobs."""
    listed = inventory.objects_of(settings.BUCKETS["results"], "results/")
    raised = 0
    while page := [found.location.key for found in islice(listed, PAGE)]:
        newest: dict[int, int] = {}
        for key in page:
            if job_id := job_of(key):
                newest[job_id] = max(newest.get(job_id, 0), result_sets.attempt_of(key))
        for job_id, attempt in newest.items():
            lower = Job.objects.filter(FREE, pk=job_id, attempt__lt=attempt)
            raised += lower.update(attempt=attempt)
    return raised


def job_of(key: str) -> int:
    """The number of the job that a key or receipt with `results/7/` in it names, else 0."""
    found = re.search(r"results/(\d{1,18})/", key, re.ASCII)
    return int(found[1]) if found else 0
