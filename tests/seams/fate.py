"""When a worker dies: a seam and a statement of SQL are each a step, before which it may."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

CHANGES = ("INSERT", "UPDATE", "DELETE")


class Killed(BaseException):
    """The end of a worker's process, which no code of ours can catch."""


class Fate:
    """Counts the steps of a worker and ends it before the one that was chosen."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._last: int | None = None

    @contextmanager
    def dying_before(self, step: int | None) -> Iterator[None]:
        """Count the steps in this block; before that many of them the worker dies."""
        self.steps, self._last = [], step
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            self._last = None

    def step(self, name: str) -> None:
        """Come to the next step."""
        if self._last == len(self.steps):
            raise Killed(name)
        self.steps.append(name)

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if sql.startswith(CHANGES):
            self.step(" ".join(sql.split()[:3]))
        return execute(sql, params, many, context)
