"""What jobs and accounts cost: what their rows tell, put into the formulas of `gas.prices`."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from gas import prices
from gas.models import Job, JobEvent, Notice, ResultFile, Status
from gas.prices import Cost
from gas.services.listing import CountOf

#: Parts of a file, and the two calls around them; calls that look at an upload and at its start.
AROUND_PARTS, LOOKS = 2, 3

#: Mails of one job that are counted; more than a few there never are.
MOST_MAILS = 1000


@dataclass(frozen=True)
class Stay:
    """A time in which the large files of a job lay in one place."""

    archived: bool
    span: timedelta
    is_over: bool


@dataclass(frozen=True)
class Doings:
    """What was done for a job, as far as it costs: the input of the formula."""

    input_bytes: int  # 0 when another job of the same file bears it
    input_span: timedelta
    input_parts: int
    small_bytes: int  # files that never move to the archive
    small_files: int
    large_bytes: int
    large_files: int
    stays: tuple[Stay, ...]
    retrievals: tuple[str, ...]  # the tier of each
    returns: int
    claims: int
    mails: int


@dataclass(frozen=True)
class JobCost:
    """What a job has cost, what each further month costs, and deleting it today."""

    so_far: Cost
    monthly: float
    to_delete_now: float


def cost_of(done: Doings) -> Cost:
    """Dollars that a job has cost up to now.

    * storage: input x its time, small files x theirs, large files x each stay at hand
    * archive: (large bytes + 32 KB a file) x each stay there, 8 KB a file beside it
    * early deletion: what a stay that is over lacks of 90 days
    * retrieval: large bytes and a request for each file, by the tier of each
    * requests: PUTs (parts of the input, result files, large files x returns), PUTs into the
      archive (large files x archivings), GETs (looks at the input, each file once, and at most
      each large file once a claim)
    * messages: three requests of SQS for each claim and each mail
    """
    cold = [stay for stay in done.stays if stay.archived]
    warm = sum((stay.span for stay in done.stays if not stay.archived), timedelta(0))
    results_for = sum((stay.span for stay in done.stays), timedelta(0))
    large = done.large_bytes, done.large_files
    return Cost(
        storage=prices.standard(done.input_bytes, done.input_span)
        + prices.standard(done.small_bytes, results_for)
        + prices.standard(done.large_bytes, warm),
        archive=sum(prices.archived(*large, stay.span) for stay in cold),
        early_deletion=sum(prices.early_deletion(*large, s.span) for s in cold if s.is_over),
        retrieval=sum(prices.retrieval(*large, tier) for tier in done.retrievals),
        requests=prices.requests(
            puts=done.input_parts + done.small_files + done.large_files * (1 + done.returns),
            gets=LOOKS + done.small_files + done.large_files * max(1, done.claims),
            archivings=done.large_files * len(cold),
        ),
        messages=prices.messages(done.claims + done.mails),
    )


def of_jobs(jobs: QuerySet[Job]) -> list[tuple[Job, JobCost]]:
    """Some jobs with what each costs, read from its own rows; four questions for all of them."""
    now = timezone.now()
    return [(job, cost_at(now, job)) for job in with_doings(jobs)]


def with_doings(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """The same jobs with all that `doings_of` reads."""
    earlier = Job.objects.filter(upload=OuterRef("upload"), pk__lt=OuterRef("pk"))
    mails = Notice.objects.filter(job=OuterRef("pk")).order_by().values("pk")
    read = jobs.select_related("owner", "upload").prefetch_related("files", "events")
    return read.annotate(is_rerun=Exists(earlier), mails=CountOf(mails[:MOST_MAILS]))


def cost_at(now: datetime, job: Job) -> JobCost:
    """What a job, read by `with_doings`, costs as of a moment."""
    done = doings_of(job, now)
    last = done.stays[-1] if done.stays else None
    asleep = last is not None and last.archived
    awake_bytes = done.small_bytes + (0 if asleep else done.large_bytes)
    in_archive = (done.large_bytes, done.large_files) if asleep else (0, 0)
    kept_input = 0 if job.upload.removed_at else done.input_bytes
    return JobCost(
        so_far=cost_of(done),
        monthly=prices.monthly(
            at_hand=kept_input + awake_bytes,
            in_archive=in_archive[0],
            files_in_archive=in_archive[1],
        ),
        to_delete_now=prices.early_deletion(*in_archive, last.span) if last else 0.0,
    )


def doings_of(job: Job, now: datetime) -> Doings:
    """Read what was done for a job up to a moment."""
    files, events = list(job.files.all()), list(job.events.all())
    large = [file for file in files if file.kind in ResultFile.ARCHIVED_KINDS]
    small = [file for file in files if file.kind not in ResultFile.ARCHIVED_KINDS]
    moves = [(event.before, event.after) for event in events]
    tier = max((file.retrieval_tier for file in large), default="") or "Expedited"
    told: Any = job  # with the columns of `with_doings`
    is_first = not told.is_rerun
    return Doings(
        input_bytes=(job.upload.size or 0) if is_first else 0,
        input_span=(job.upload.removed_at or now) - job.upload.created_at,
        input_parts=_parts(job) if is_first else 0,
        small_bytes=sum(file.size for file in small),
        small_files=len(small),
        large_bytes=sum(file.size for file in large),
        large_files=len(large),
        stays=tuple(stays_of(events, now)),
        retrievals=(tier,) * moves.count((Status.THAWING, Status.RESTORING)),
        returns=moves.count((Status.RESTORING, Status.COMPLETED)),
        claims=job.attempt,
        mails=told.mails,
    )


def _parts(job: Job) -> int:
    sizes = job.upload.size or 0, job.upload.part_bytes
    return math.ceil(sizes[0] / sizes[1]) + AROUND_PARTS if sizes[1] else 1


def stays_of(events: list[JobEvent], now: datetime) -> list[Stay]:
    """Where the large files lay and how long, in order; the last stay is not over."""
    arrivals = [
        (event.at, event.after == Status.ARCHIVED)
        for event in events
        if event.before != event.after and event.after in (Status.COMPLETED, Status.ARCHIVED)
    ]
    stays = [Stay(archived, after - at, True) for (at, archived), (after, _) in pairwise(arrivals)]
    return stays + [Stay(archived, now - at, False) for at, archived in arrivals[-1:]]
