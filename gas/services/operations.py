"""How the service stands: the one answer that the operators' page and `manage.py status` show."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from annotator.provenance import COMMIT
from gas import prices
from gas.models import QueueState
from gas.services import maintenance, operations_history, operations_rows, reference
from gas.services.maintenance import Notice
from gas.services.operations_history import History
from gas.services.operations_rows import Oldest, Rows, WorkerLine
from tasks import depths

#: An answer of SQS that is older than this is told to be old.
STALE = timedelta(seconds=90)


@dataclass(frozen=True)
class QueueLine:
    """One queue: how deep SQS says it is, and what the rows owe it."""

    name: str
    visible: int | None
    in_flight: int | None
    delayed: int | None
    dead: int | None
    read_at: datetime | None
    is_stale: bool
    oldest: Oldest | None  # of the rows: CloudWatch's age of the oldest message is not asked
    oldest_seconds: int | None
    paused_at: datetime | None
    paused_by: str
    pause_reason: str
    workers: int  # that take from it
    running: int  # tasks of it that they are at
    hearing: int  # of those workers, the ones that have yet to hear of the pause


@dataclass(frozen=True)
class Releases:
    """What runs here."""

    commit: str
    bundles: list[str]
    region: str
    prices_of: str


@dataclass(frozen=True)
class Snapshot:
    """How everything stands at one moment."""

    taken_at: datetime
    queues: list[QueueLine]
    workers: list[WorkerLine]
    rows: Rows
    history: History
    maintenance: Notice | None
    releases: Releases

    @property
    def is_moving(self) -> bool:
        """Whether anything is likely to change soon by itself."""
        waiting = any((queue.visible or 0) + (queue.in_flight or 0) for queue in self.queues)
        at_work = any(worker.running for worker in self.workers if not worker.is_lost)
        return waiting or at_work or bool(self.rows.oldest)

    @property
    def living(self) -> int:
        """Workers that give signs of life."""
        return sum(not worker.is_lost for worker in self.workers)

    @property
    def monthly_dollars(self) -> float:
        """What keeping everything costs in 30 days."""
        return self.rows.usage["monthly_microdollars"] / 1_000_000


def snapshot() -> Snapshot:
    """Look at everything once; SQS is asked at most once in some seconds, for all who look."""
    now = timezone.now()
    states, rows, workers = depths.states(), operations_rows.read(), operations_rows.workers()
    return Snapshot(
        taken_at=now,
        queues=[_queue(state, rows, workers, now) for state in states.values()],
        workers=workers,
        rows=rows,
        history=operations_history.read(),
        maintenance=maintenance.notice(),
        releases=_releases(),
    )


def _queue(state: QueueState, rows: Rows, workers: list[WorkerLine], now: datetime) -> QueueLine:
    takers = [each for each in workers if not each.is_lost and state.name in each.queues]
    oldest = rows.oldest.get(state.name)
    running = sum(task.task == state.name for each in takers for task in each.running)
    return QueueLine(
        name=state.name,
        visible=state.visible,
        in_flight=state.in_flight,
        delayed=state.delayed,
        dead=state.dead,
        read_at=state.read_at,
        is_stale=state.read_at is None or state.read_at < now - STALE,
        oldest=oldest,
        oldest_seconds=int((now - oldest.since).total_seconds()) if oldest else None,
        paused_at=state.paused_at,
        paused_by=state.paused_by,
        pause_reason=state.pause_reason,
        workers=len(takers),
        running=running,
        hearing=sum((state.name in each.resting) != bool(state.paused_at) for each in takers),
    )


def _releases() -> Releases:
    return Releases(
        commit=COMMIT,
        bundles=[reference.name_of(bundle) for bundle in reference.installed()],
        region=settings.AWS_REGION,
        prices_of=f"{prices.PRICES.region}, {prices.PRICES.as_of:%F}",
    )


def as_json(seen: Snapshot) -> dict[str, Any]:
    """The same as plain values, for programs; times stay times, for the encoder of the caller."""
    told = asdict(seen)
    told["monthly_dollars"] = round(seen.monthly_dollars, 6)
    told["history"]["last_hour"]["failing"] = seen.history.last_hour.failing
    told["history"]["last_day"]["failing"] = seen.history.last_day.failing
    return told
