"""How deep the queues are: SQS is asked once in a while for everybody, and rows keep its answer."""

import logging
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from celeryconfig import QUEUES, Queue
from gas.models import QueueState, Sample
from gas.storage import queues
from gas.storage.errors import StorageError

logger = logging.getLogger(__name__)

#: SQS is asked no more often than this, however many pages are open.
FRESH = timedelta(seconds=5)

#: The columns that SQS's answer fills.
COUNTED = ["visible", "in_flight", "delayed", "dead", "read_at"]

#: Every minute is kept for a while, then every tenth, for as long as the charts show.
DENSE, KEPT = timedelta(hours=2), timedelta(hours=25)
THINNED_TO = 10  # minutes


def states(*, fresh: timedelta = FRESH) -> dict[str, QueueState]:
    """Return the row of each queue, asking SQS first when its answers are older than `fresh`.

    One process asks and the others take what it found. Rows that SQS gave no answer for stay as
    they were; `read_at` tells how old they are.
    """
    rows = QueueState.objects.in_bulk()
    if len(rows) < len(QUEUES):
        missing = [QueueState(name=name) for name in QUEUES if name not in rows]
        QueueState.objects.bulk_create(missing, ignore_conflicts=True)
        rows = QueueState.objects.in_bulk()
    stale = [row for row in rows.values() if not _is_fresh(row, fresh)]
    if stale and _claimed(fresh):
        _ask(rows)
    return {name: rows[name] for name in QUEUES}


def forget(queue: Queue) -> None:
    """Let whoever looks next ask SQS: what it said of the queue is over."""
    QueueState.objects.filter(pk=queue.name).update(asked_at=None)


def _is_fresh(row: QueueState, fresh: timedelta) -> bool:
    return row.asked_at is not None and row.asked_at > timezone.now() - fresh


def _claimed(fresh: timedelta) -> bool:
    """Whether it is this process that asks: one UPDATE that only the first finds rows for."""
    stale = Q(asked_at=None) | Q(asked_at__lte=Now() - fresh)
    return bool(QueueState.objects.filter(stale).update(asked_at=Now()))


def _ask(rows: dict[str, QueueState]) -> None:
    """Ask SQS for every queue and keep its answers; the first that it does not give ends it."""
    answered = []
    try:
        for queue in QUEUES.values():
            _read(queue, rows[queue.name])
            answered.append(rows[queue.name])
    except StorageError as error:
        logger.warning("the depth of the queues is not known: %s", error)
    QueueState.objects.bulk_update(answered, COUNTED)


def _read(queue: Queue, row: QueueState) -> None:
    found = queues.counts(queue.url)
    row.dead = queues.counts(queue.dead_letter_url).total
    row.visible, row.in_flight, row.delayed = found.visible, found.in_flight, found.delayed
    row.read_at = timezone.now()


def note_minute(swept: dict[str, int]) -> None:
    """Keep what this minute is like, once, and thin out what is older."""
    now = timezone.now()
    rows = states()
    numbers = {
        name: [row.visible, row.in_flight, row.delayed, row.dead] for name, row in rows.items()
    }
    found = {what: count for what, count in swept.items() if count}
    Sample.objects.get_or_create(
        at=now.replace(second=0, microsecond=0), defaults={"queues": numbers, "swept": found}
    )
    old = Q(at__lt=now - DENSE) & ~Q(at__minute__in=range(0, 60, THINNED_TO))
    Sample.objects.filter(old | Q(at__lt=now - KEPT)).delete()
