"""A pool of processes that replaces one which dies while the worker starts.

Celery's own ends the whole worker then ("Could not start worker processes"), although it replaces a
process that dies at any later moment.
"""

import os
import signal
from contextlib import suppress
from typing import Any

from celery.concurrency import prefork


class TaskPool(prefork.TaskPool):
    """Celery's pool of processes, the same from its start on."""

    _pool: Any

    def did_start_ok(self) -> bool:
        """Replace what has ended already; Celery asks once, before it takes any message."""
        self._pool.maintain_pool()
        return True

    def kill(self) -> None:
        """End every process at once, and return when they have gone.

        The kernel ends with them what they started (`annotator.child`).
        """
        pids = [process.pid for process in self._processes()]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in pids:
            with suppress(ChildProcessError):  # it was waited for already
                os.waitpid(pid, 0)

    def _processes(self) -> list[Any]:
        return list(getattr(self._pool, "_pool", []))
