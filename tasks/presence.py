"""A worker tells every few seconds that it lives, and hears which queues are paused."""

import logging
import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from celery.signals import worker_init, worker_ready, worker_shutdown
from celery.worker import state
from django.db import DatabaseError, InterfaceError
from django.db.models.functions import Now

from annotator.provenance import COMMIT
from celeryconfig import QUEUES
from gas.forks import connected
from gas.models import QueueState, Worker
from tasks import transport

logger = logging.getLogger(__name__)

#: Seconds between two signs of life, and so until a worker hears of a pause.
EVERY = 5.0

#: Without a sign of life for so long a worker counts as lost, and its row goes some time later.
LOST_AFTER = timedelta(seconds=4 * EVERY)
FORGOTTEN_AFTER = timedelta(hours=1)

#: Why the database did not answer: nothing depends on a sign of life.
AWAY = (DatabaseError, InterfaceError)


def hear_of_pauses() -> None:
    """Read which queues are paused, and take nothing from them until the next look."""
    paused = QueueState.objects.exclude(paused_at=None).values_list("name", flat=True)
    transport.resting.intersection_update(found := set(paused))
    transport.resting.update(found)


class Presence:
    """The row of one worker process, and the thread that keeps it fresh."""

    def __init__(self, worker: Any) -> None:
        self.id: UUID = uuid4()
        self._worker = worker
        self._stop = threading.Event()
        self._is_away = False

    def start(self) -> None:
        """Tell of this worker until it ends."""
        threading.Thread(target=self._tell_on, name="presence", daemon=True).start()

    def end(self) -> None:
        """Tell no more, and take the row away."""
        self._stop.set()
        try:
            with connected():
                Worker.objects.filter(pk=self.id).delete()
        except AWAY as error:
            logger.warning("the row of this worker stays for a while: %s", error)

    def _tell_on(self) -> None:
        while not self._stop.is_set():
            self.beat()
            self._stop.wait(EVERY)

    def beat(self) -> None:
        """Hear of pauses, then give one sign of life; a database that is away is said once."""
        try:
            with connected():
                hear_of_pauses()
                self.tell()
        except AWAY as error:
            if not self._is_away:
                logger.warning("no sign of life could be given: %s", error)
            self._is_away = True
        else:
            self._is_away = False

    def tell(self) -> None:
        """Write the row, anew if it was swept away meanwhile."""
        columns = self._columns()
        if not Worker.objects.filter(pk=self.id).update(**columns, seen_at=Now()):
            Worker.objects.create(id=self.id, **columns)

    def _columns(self) -> dict[str, Any]:
        queues = list(self._worker.app.amqp.queues.consume_from)
        return {
            "name": self._worker.hostname,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "release": COMMIT[:12] or "unknown",
            "queues": queues,
            "processes": self._worker.pool.num_processes,
            "memory_mb": memory_of(os.getpid()) // 1024**2,
            "running": running(),
            "resting": sorted(transport.resting.intersection(queues)),
        }


def running() -> list[dict[str, Any]]:
    """What this worker works on: task, job if it is about one, and since when."""
    tasks = [request for request in list(state.active_requests) if request.time_start]
    return [
        {
            "task": request.name,
            "job": next((arg for arg in request.args if isinstance(arg, int)), None),
            "since": datetime.fromtimestamp(request.time_start, UTC).isoformat(timespec="seconds"),
        }
        for request in sorted(tasks, key=lambda request: request.time_start)
    ]


def memory_of(pid: int) -> int:
    """Bytes of memory of a process and all its children, what they share counted once.

    Pss of /proc/PID/smaps_rollup: https://docs.kernel.org/filesystems/proc.html
    """
    process = Path(f"/proc/{pid}")
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
        children = [file.read_text().split() for file in process.glob("task/*/children")]
    except OSError:  # it has ended, or its memory is not to be seen
        return 0
    own = sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return own + sum(memory_of(int(child)) for each in children for child in each)


def forget_lost() -> None:
    """Take away the rows of workers that have been silent for long."""
    Worker.objects.filter(seen_at__lt=Now() - FORGOTTEN_AFTER).delete()


#: Of this process.
_presences: list[Presence] = []


@worker_init.connect(weak=False)
def wait_for_pauses(**_: Any) -> None:
    """Know the pauses before the first message; without a database nothing is taken until then."""
    try:
        with connected():
            hear_of_pauses()
    except AWAY as error:
        logger.warning("every queue rests until the database answers: %s", error)
        transport.resting.update(QUEUES)


@worker_ready.connect(weak=False)
def begin(sender: Any, **_: Any) -> None:
    """Begin to give signs of life."""
    presence = Presence(sender)
    _presences.append(presence)
    presence.start()


@worker_shutdown.connect(weak=False)
def end(**_: Any) -> None:
    """Take the row away of a worker that ends in order."""
    while _presences:
        _presences.pop().end()
