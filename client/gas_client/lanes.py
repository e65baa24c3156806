"""Several things at once, in threads that nobody has to wait for."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

from gas_client.errors import GasError, Stopped

T = TypeVar("T")

#: Seconds that the lanes have to stop.
MOMENT = 0.5


class _Lane(threading.Thread, Generic[T]):
    """Takes one item after the other; a daemon, so that Ctrl-C ends the program at once."""

    def __init__(
        self, items: Iterator[T], do: Callable[[T], None], ended: "SimpleQueue[_Lane[T]]"
    ) -> None:
        super().__init__(daemon=True)
        self._items, self._do, self._ended = items, do, ended
        self.problem: GasError | OSError | None = None
        self.is_done = False

    def run(self) -> None:
        """Work until nothing is left or somebody says stop."""
        try:
            for item in self._items:
                self._do(item)
            self.is_done = True
        except (GasError, OSError) as problem:
            self.problem = problem
        finally:
            self._ended.put(self)


def in_lanes(
    items: Iterable[T], do: Callable[[T], None], *, lanes: int, stop: threading.Event
) -> None:
    """Do something with every item, so many at once; the first failure stops all, and is raised.

    Whatever takes long looks at `stop` now and then, and raises Stopped when it is set. A sleeper
    is not waited for, and stops when it wakes.
    """
    shared, ended = _Shared(items, stop), SimpleQueue[_Lane[T]]()
    running = [_Lane(shared, do, ended) for _ in range(lanes)]
    try:
        for lane in running:
            lane.start()
        for _ in running:
            _look_at(ended.get())
    except BaseException:
        stop.set()
        until = time.monotonic() + MOMENT
        for lane in filter(_Lane.is_alive, running):  # some may not have been started
            lane.join(max(0.0, until - time.monotonic()))
        raise


def _look_at(lane: _Lane[T]) -> None:
    if lane.problem:
        raise lane.problem
    if not lane.is_done:
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
