"""What a process needs to do its work, by name: for `/readyz` of the site and of workers."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from celeryconfig import QUEUES
from gas.forks import connected
from gas.storage import clients

#: Seconds for the answer of AWS, and for all of them: whoever asks has little patience.
PATIENCE, BOUND = 2, 3


def database_works() -> bool:
    """Tell whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def queue_works() -> bool:
    """Tell whether SQS knows the queue that every job begins with."""
    try:
        clients.sqs(attempts=1, seconds=PATIENCE).get_queue_attributes(
            QueueUrl=QUEUES["annotate"].url, AttributeNames=["QueueArn"]
        )
    except (BotoCoreError, ClientError):
        return False
    return True


def storage_works() -> bool:
    """Tell whether S3 lets us into the bucket of results."""
    try:
        s3 = clients.s3(attempts=1, seconds=PATIENCE)
        s3.head_bucket(Bucket=settings.BUCKETS["results"])
    except (BotoCoreError, ClientError):
        return False
    return True


def migrations_applied() -> bool:
    """Tell whether the database is as this release wants it; once it is, it stays so."""
    if _applied.is_set():
        return True
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError):
        return False
    if not missing:
        _applied.set()
    return not missing


_applied = threading.Event()

#: The parts that the site cannot do without.
PARTS: dict[str, Callable[[], bool]] = {
    "database": database_works,
    "migrations": migrations_applied,
    "queue": queue_works,
    "storage": storage_works,
}
#: Of these, the ones that open a connection to the database.
CONNECTED = (database_works, migrations_applied)


@dataclass(frozen=True)
class Finding:
    """How one part is, and the seconds that it took to tell."""

    name: str
    works: bool
    seconds: float

    def __str__(self) -> str:
        return f"{self.name} {'ok' if self.works else 'failing'} {1000 * self.seconds:.0f} ms"


class _Question(threading.Thread):
    """One part asked in a thread of its own, so that one that hangs holds up nothing."""

    def __init__(self, name: str, works: Callable[[], bool]) -> None:
        super().__init__(name=f"health {name}", daemon=True)
        self._part, self._works = name, works
        self._began = time.monotonic()
        self.answer: Finding | None = None

    def run(self) -> None:
        with connected() if self._works in CONNECTED else nullcontext():
            works = self._works()
            self.answer = Finding(self._part, works, time.monotonic() - self._began)

    def found(self, until: float) -> Finding:
        """Wait for the answer until then; who has none yet fails."""
        self.join(max(0.0, until - time.monotonic()))
        return self.answer or Finding(self._part, False, time.monotonic() - self._began)


#: The last question to each part: one that hangs is not asked again before it has ended.
_asked: dict[str, _Question] = {}
_asking = threading.Lock()


def look(parts: Mapping[str, Callable[[], bool]]) -> list[Finding]:
    """Ask every part at once; the answer takes `BOUND` seconds at most."""
    until = time.monotonic() + BOUND
    with _asking:
        for name, works in parts.items():
            if name not in _asked or not _asked[name].is_alive():
                _asked[name] = _Question(name, works)
                _asked[name].start()
        questions = [_asked[name] for name in parts]
    return [question.found(until) for question in questions]


def first_line(findings: list[Finding]) -> str:
    """The names of what fails, or that all is well."""
    failing = [finding.name for finding in findings if not finding.works]
    return f"failing: {', '.join(failing)}" if failing else "ok"
