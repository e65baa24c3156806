"""Worker processes that take tasks as they come and answer over pipes.

Pipes alone, because the semaphores of multiprocessing's pools live outside the walls.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from socket import socket
from types import TracebackType
from typing import Generic, Self, TypeVar

from annotator.errors import AnnotationError, AnnotatorFailed
from annotator.sandbox import die_with

Task = TypeVar("Task")
Answer = TypeVar("Answer")
_FORK = multiprocessing.get_context("fork")


class NotThisWayError(Exception):
    """The records need another plan: a sort, or declarations."""


class _Worker(Generic[Task, Answer]):
    def __init__(self, work: Callable[[Task], Answer]) -> None:
        tasks, self._tasks = _FORK.Pipe(duplex=False)
        self.answers, answers = _FORK.Pipe(duplex=False)
        self.process: ForkProcess = _FORK.Process(
            target=_serve, args=(work, tasks, answers, os.getpid())
        )
        self.process.start()
        self.signs: set[Connection | socket | int] = {self.answers, self.process.sentinel}
        tasks.close()
        answers.close()

    def give(self, task: Task) -> None:
        self._tasks.send(task)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self._tasks.close()
        self.answers.close()


class Crew(Generic[Task, Answer]):
    """Hands each task to a free worker; `on_answer` hears the answers as they come."""

    def __init__(
        self, size: int, work: Callable[[Task], Answer], on_answer: Callable[[Answer], None]
    ) -> None:
        self._on_answer = on_answer
        self._workers: list[_Worker[Task, Answer]] = [_Worker(work) for _ in range(size)]
        self._free = list(self._workers)
        self._waiting: deque[Task] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.stop()

    def give(self, task: Task) -> None:
        """Queue a task; wait while more than one per worker is waiting."""
        self._waiting.append(task)
        self.listen(patience=0)
        while len(self._waiting) > len(self._workers):
            self.listen()

    def finish(self) -> None:
        """Wait for the answers to all tasks."""
        while self._waiting or len(self._free) < len(self._workers):
            self.listen()

    def listen(self, patience: float | None = None) -> None:
        """Take what answers are there, and hand out tasks; wait for one, or `patience` seconds."""
        self._hand_out()
        busy = [worker for worker in self._workers if worker not in self._free]
        ready = wait([one for worker in busy for one in worker.signs], patience) if busy else []
        for worker in busy:
            if not worker.signs.isdisjoint(ready):
                self._hear(worker)
        self._hand_out()

    def _hear(self, worker: _Worker[Task, Answer]) -> None:
        try:
            answer: Answer | Exception = worker.answers.recv()
        except EOFError:
            worker.process.join()
            raise AnnotatorFailed(
                f"a worker ended with {worker.process.exitcode} before it was done"
            ) from None
        if isinstance(answer, Exception):
            raise answer
        self._free.append(worker)
        self._on_answer(answer)

    def _hand_out(self) -> None:
        while self._waiting and self._free:
            self._free.pop().give(self._waiting.popleft())


def _serve(
    work: Callable[[Task], Answer],
    tasks: "Connection[Task, Task]",
    answers: "Connection[object, object]",
    parent: int,
) -> None:
    die_with(parent)
    while True:
        task = tasks.recv()
        try:
            answers.send(work(task))
        except (AnnotationError, NotThisWayError, MemoryError) as error:
            answers.send(error)
