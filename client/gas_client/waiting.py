"""Looking at a job again and again until it is done."""

import time
from collections.abc import Callable
from contextlib import closing

from gas_client.errors import TookTooLong
from gas_client.progress import Bar
from gas_client.records import UNDER_WAY, JobFacts
from gas_client.wire import Wire

#: Seconds between looks: at first, how much longer each time, and at most.
SOON, SLOWER, LATE = 1.0, 1.3, 10.0


class Waiting:
    """Waits for one job, at most `timeout` seconds; `told` hears of each change."""

    def __init__(
        self,
        wire: Wire,
        path: str,
        *,
        timeout: float | None = None,
        told: Callable[[JobFacts], None] | None = None,
    ) -> None:
        self._wire, self._path, self._told = wire, path, told
        self._timeout, self._begun = timeout, time.monotonic()

    def until_done(self, facts: JobFacts) -> JobFacts:
        """Return how it ended; TookTooLong when that is not in time."""
        pause, shown = SOON, 0
        with closing(self._wire.progress.bar(f"job {facts.id}", total=100, unit="%")) as bar:
            while facts.status in UNDER_WAY:
                shown = _show(bar, facts, shown)
                self._rest(pause, facts)
                pause = min(LATE, pause * SLOWER)
                before, facts = facts, self._look()
                if self._told and facts != before:
                    self._told(facts)
        return facts

    def _look(self) -> JobFacts:
        return JobFacts.of(self._wire.get(self._path, patience=self._wire.patience.stubborn))

    def _rest(self, pause: float, facts: JobFacts) -> None:
        if self._timeout is not None and time.monotonic() + pause > self._begun + self._timeout:
            raise TookTooLong(f"Job {facts.id} is still {facts.status}; it goes on by itself.")
        self._wire.patience.sleep(pause)


def _show(bar: Bar, facts: JobFacts, shown: int) -> int:
    percent = facts.percent or 0
    bar.advance(percent - shown)
    bar.say("waits for staff" if facts.is_stalled else facts.stage or facts.status)
    return percent
