"""Turns: how many jobs of one owner have a message at once, and whose job goes first.

A job that waits is a row. Its message is sent when its owner has room for it, so that somebody
with 10,000 jobs has a handful of messages in a queue and never a queue full of them. Of several
owners, the one whose last turn is the longest ago goes first: a message of another steps back to
the end of the queue. Where the queues are SQS's own, each owner is a message group, which SQS
serves fairly before a worker ever sees a message.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any

from celery.signals import before_task_publish
from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Min, Q, QuerySet
from django.db.models.functions import Now

from gas.commits import after_commit
from gas.models import Job, Limits, Status, User, Webhook
from tasks import pipeline
from tasks.delays import LONGEST_TIMER

logger = logging.getLogger(__name__)

#: Messages that one look at all owners sends; the next look sends the next.
MOST = 500
#: How often one message lets others pass before it is worked on whoever waits: theirs may be lost.
MOST_COURTESIES = 20


@dataclass(frozen=True)
class Line:
    """Jobs that wait for the same task, and how many one owner may have on their way."""

    waits: Status
    works: frozenset[Status]
    whose: Q
    most: Callable[[Limits], int]  # jobs sent for or begun
    ahead: int  # jobs sent for and not begun
    early: timedelta = timedelta(0)  # how long before it is due a job may be sent for


ANNOTATE = Line(
    Status.QUEUED,
    frozenset({Status.RUNNING}),
    Q(),
    most=attrgetter("max_running_jobs"),
    ahead=50,
)
ARCHIVE = Line(
    Status.COMPLETED,
    frozenset({Status.ARCHIVING}),
    Q(owner__plan__archives=True),
    most=lambda limits: 50,
    ahead=50,
    early=timedelta(seconds=LONGEST_TIMER),
)
THAW = Line(
    Status.ARCHIVED,
    frozenset({Status.THAWING, Status.RESTORING}),
    Q(owner__plan__archives=False) | ~Q(thaw_tier=""),
    most=lambda limits: settings.MOST_THAWS,
    ahead=50,
)
LINES = (ANNOTATE, ARCHIVE, THAW)


def waiting(line: Line) -> QuerySet[Job]:
    """The jobs of a line that nobody has sent for, the longest due first."""
    soon = Now() + line.early
    jobs = Job.objects.filter(line.whose, status=line.waits, sent_at=None, wake_at__lte=soon)
    return jobs.order_by("wake_at", "pk")


def give(line: Line, *, owner_id: int) -> int:
    """Send for as many jobs of an owner as there is room for; outside any transaction.

    A message that SQS does not take now is sent by the sweeper.
    """
    if not waiting(line).filter(owner_id=owner_id).exists():
        return 0
    chosen: QuerySet[Job] = Job.objects.filter(pk__in=_chosen(line, owner_id)).order_by(
        "wake_at", "pk"
    )
    left = ExpressionWrapper(F("wake_at") - Now(), output_field=DurationField())
    jobs = list(chosen.annotate(left=left))
    try:
        for job in jobs:
            pipeline.send(job, countdown=max(0.0, job.left.total_seconds()))
    except pipeline.QueueUnavailable as error:
        logger.warning("account %s has to wait for its turn: %s", owner_id, error)
    return len(jobs)


def give_after_commit(*lines: Line, owner_id: int) -> None:
    """The same when the transaction that makes room, or a new job, has been committed."""

    def give_each() -> None:
        for line in lines:
            give(line, owner_id=owner_id)

    after_commit(give_each)


def give_everybody(line: Line) -> int:
    """Send for the jobs of every owner that has room; on a good day there are none."""
    since = waiting(line).order_by().values("owner_id").annotate(since=Min("wake_at"))
    sent = 0
    for owner_id in since.order_by("since").values_list("owner_id", flat=True)[:MOST]:
        if sent >= MOST:
            break
        sent += give(line, owner_id=owner_id)
    return sent


def _chosen(line: Line, owner_id: int) -> list[int]:
    """Mark the owner's next jobs as sent for, one caller at a time, and return their ids."""
    with transaction.atomic():
        owner = User.objects.select_for_update(of=("self",)).filter(pk=owner_id).first()
        if owner is None:
            return []
        mine = waiting(line).filter(owner_id=owner_id)
        chosen = list(mine.values_list("pk", flat=True)[: _room(line, owner)])
        Job.objects.filter(pk__in=chosen).update(sent_at=Now())
    return chosen


def _room(line: Line, owner: User) -> int:
    begun = owner.jobs.filter(status__in=line.works, wake_at__isnull=False).count()  # not stalled
    sent = owner.jobs.filter(status=line.waits).exclude(sent_at=None).count()
    return max(0, min(line.most(owner.limits) - begun - sent, line.ahead - sent))


def take(job: Job) -> None:
    """Note that a job of this owner has begun: everybody else's turn is before their next."""
    User.objects.filter(pk=job.owner_id).update(turn_at=Now())


def is_of_another(job_id: int) -> bool:
    """Whether somebody waits, with a message, whose last turn is longer ago than this owner's."""
    last = Job.objects.filter(pk=job_id, status=Status.QUEUED).values("owner__turn_at")
    longer_ago = Q(owner__turn_at=None) | Q(owner__turn_at__lt=last[:1])
    sent = Job.objects.due().filter(status=Status.QUEUED).exclude(sent_at=None)
    return last.exclude(owner__turn_at=None).exists() and sent.filter(longer_ago).exists()


@before_task_publish.connect(weak=False)
def name_the_group(
    sender: str, body: tuple[Any, ...], properties: dict[str, Any], **_: Any
) -> None:
    """Tell SQS whose job or webhook a message is about; kombu passes it on for any kind of queue.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    """
    number = next(iter(body[0]), None)
    if isinstance(number, int):
        things = Webhook.objects if sender == "deliver" else Job.objects
        owners = things.filter(pk=number).values_list("owner_id", flat=True)
        properties["MessageGroupId"] = str(owners.first() or "nobody")
