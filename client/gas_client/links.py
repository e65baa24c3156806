"""Links to one file in storage, which live for minutes only."""

import threading
import time
from collections.abc import Callable

#: Seconds for which a link is used; the service makes them for five minutes.
USED = 180.0


class Links:
    """The link of a file, asked for again when it is old or did not work; threads may share it."""

    def __init__(
        self, ask: Callable[[], str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._clock = ask, clock
        self._lock = threading.Lock()
        self._link, self._until = "", 0.0

    def current(self) -> str:
        """Return a link that should work."""
        with self._lock:
            if not self._link or self._clock() >= self._until:
                self._until = self._clock() + USED
                self._link = self._ask()
            return self._link

    def drop(self, link: str) -> None:
        """Never use this link again."""
        with self._lock:
            if link == self._link:
                self._link = ""
