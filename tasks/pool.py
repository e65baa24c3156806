"""A pool of processes that replaces one which dies while the worker starts.

Celery's own ends the whole worker then ("Could not start worker processes"), although it replaces a
process that dies at any later moment.
"""

from typing import Any

from celery.concurrency import prefork


class TaskPool(prefork.TaskPool):
    """Celery's pool of processes, the same from its start on."""

    _pool: Any

    def did_start_ok(self) -> bool:
        """Replace what has ended already; Celery asks once, before it takes any message."""
        self._pool.maintain_pool()
        return True
