"""The agent that empties a machine: it hears of the end, ends the workers, says when it is done."""

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gas.drain.hook import Hook, hook_of
from gas.drain.metadata import MetadataUnavailable
from gas.drain.orders import Order, Source, order
from gas.drain.presence import DRAINING, workers
from gas.storage.errors import StorageError

logger = logging.getLogger(__name__)

#: Seconds between two looks, while nothing is to be done and while workers are to end.
LOOK_EVERY, WAIT_EVERY = 2.0, 0.5
#: Seconds between two heartbeats of the hook; its time-out must be longer.
HEARTBEAT_EVERY = 60.0
#: How long before the machine is taken what is not finished is handed back, and what hangs killed.
HAND_BACK_BEFORE, KILL_BEFORE = 40.0, 5.0


@dataclass
class Agent:
    """Empties one machine, whose workers keep their files in `folder`.

    `longest` is the seconds in which every task ends by itself.
    """

    source: Source
    folder: Path
    hook_name: str
    longest: float
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    _told: dict[int, signal.Signals] = field(default_factory=dict)
    _is_silent: bool = False
    _is_empty: bool = False

    def run(self) -> None:
        """Empty the machine whenever it is told to; without end."""
        while True:
            self.step()
            self.wait(LOOK_EVERY)

    def step(self) -> None:
        """Look once, and if the machine is to stop working see that it does; that may take long."""
        told = self._look()
        if told is not None:
            self._empty(told)
        elif not self._is_silent:
            self._is_empty = False
            (self.folder / DRAINING).unlink(missing_ok=True)

    def _look(self) -> Order | None:
        try:
            found = order(self.source)
        except MetadataUnavailable as error:
            if not self._is_silent:
                logger.warning("the metadata service does not answer: %s", error)
            self._is_silent = True
            return None
        self._is_silent = False
        return found

    def _empty(self, told: Order) -> None:
        if self._is_empty:
            return
        logger.warning("this machine stops working: %s", told.reason)
        (self.folder / DRAINING).touch()
        hook = self._hook()
        self._end_workers(told, hook)
        self._complete(hook)

    def _hook(self) -> Hook:
        while True:
            try:
                return hook_of(self.source, name=self.hook_name)
            except MetadataUnavailable as error:
                logger.warning("the hook is not known yet: %s", error)
                self.wait(LOOK_EVERY)

    def _end_workers(self, told: Order, hook: Hook) -> None:
        """Tell the workers to end, ever more firmly, until none is left."""
        deadline = self.now() + self._seconds(told)
        beat = self.now()
        while living := workers(self.folder):
            if (again := self._look()) is not None:  # spot capacity may be taken back meanwhile
                deadline = min(deadline, self.now() + self._seconds(again))
            self._tell(living, self._word(deadline - self.now()))
            if self.now() >= beat:
                beat = self.now() + HEARTBEAT_EVERY
                self._try(hook.heartbeat, "the hook was not told to wait")
            self.wait(WAIT_EVERY)

    def _seconds(self, told: Order) -> float:
        """How long all may take; what is left is handed back even where EC2 leaves no time."""
        wanted = self.longest + HAND_BACK_BEFORE if told.seconds is None else told.seconds
        return max(wanted, HAND_BACK_BEFORE)

    def _word(self, left: float) -> signal.Signals:
        if left > HAND_BACK_BEFORE:
            return signal.SIGTERM
        return signal.SIGQUIT if left > KILL_BEFORE else signal.SIGKILL

    def _tell(self, living: list[int], word: signal.Signals) -> None:
        for pid in living:
            if self._told.get(pid) is not word:
                logger.info("worker %s is sent %s", pid, word.name)
                self._told[pid] = word
                with suppress(ProcessLookupError):
                    os.kill(pid, word)

    def _complete(self, hook: Hook) -> None:
        logger.warning("this machine is empty")
        self._is_empty = True
        self._told.clear()
        for _ in range(3):
            if self._try(hook.complete, "the group does not know that this machine is empty"):
                return
            self.wait(LOOK_EVERY)

    def _try(self, step: Callable[[], None], failure: str) -> bool:
        try:
            step()
        except StorageError as error:
            logger.warning("%s: %s", failure, error)
            return False
        return True
