"""Several things at once, in threads that nobody has to wait for."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from gas_client.errors import GasError, Stopped

T = TypeVar("T")


class _Lane(threading.Thread, Generic[T]):
    """Takes one item after the other; a daemon, so that Ctrl-C ends the program at once."""

    def __init__(self, items: Iterator[T], do: Callable[[T], None], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._items, self._do, self._stop_all = items, do, stop
        self.problem: GasError | OSError | None = None
        self.has_ended = False

    def run(self) -> None:
        """Work until nothing is left or somebody says stop."""
        try:
            for item in self._items:
                self._do(item)
            self.has_ended = True
        except (GasError, OSError) as problem:
            self.problem = problem
        finally:
            if not self.has_ended:
                self._stop_all.set()


def in_lanes(
    items: Iterable[T], do: Callable[[T], None], *, lanes: int, stop: threading.Event
) -> None:
    """Do something with every item, so many at once; the first failure stops all, and is raised.

    Whatever takes long looks at `stop` now and then, and raises Stopped when it is set.
    """
    shared = _Shared(items, stop)
    running = [_Lane(shared, do, stop) for _ in range(lanes)]
    try:
        for lane in running:
            lane.start()
        for lane in running:
            lane.join()
    finally:
        stop.set()
    problems = [lane.problem for lane in running if lane.problem]
    for problem in sorted(problems, key=lambda one: isinstance(one, Stopped)):
        raise problem
    if not all(lane.has_ended for lane in running):
        raise RuntimeError("A lane broke; its own words are above.")


class _Shared(Iterator[T]):
    """An iterator for several threads, which ends early when all are to stop."""

    def __init__(self, items: Iterable[T], stop: threading.Event) -> None:
        self._items, self._stop, self._lock = iter(items), stop, threading.Lock()

    def __next__(self) -> T:
        with self._lock:
            if self._stop.is_set():
                raise Stopped("Stopped.")
            return next(self._items)
