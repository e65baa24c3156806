"""How often something is tried again, and how long is waited before that."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from gas_client.errors import TryLater

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """Waits in seconds: `first`, doubled each time up to `most`, each a little less by chance.

    A wait that the service asks for is kept in full, or nothing is waited for when it is more than
    `longest_asked`.
    """

    tries: int = 4
    first: float = 0.5
    most: float = 30.0
    longest_asked: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    @property
    def long(self) -> "Patience":
        """The same for a transfer, which is worth more than a question."""
        return replace(self, tries=self.tries + 3)

    @property
    def stubborn(self) -> "Patience":
        """The same for who waits for hours anyway: some minutes without an answer are nothing."""
        return replace(self, tries=self.tries + 8, most=2 * self.most)

    def waits(self) -> Iterator[float]:
        """Yield the wait after each failed try but the last."""
        for tried in range(self.tries - 1):
            yield min(self.most, self.first * 2**tried) * (1 - self.chance() / 4)


def patiently(
    what: Callable[[], T], patience: Patience, told: Callable[[TryLater, float], None]
) -> T:
    """Do something until it succeeds, ever more patiently; the last failure is raised.

    `told` hears of each failure and the wait that follows.
    """
    for wait in patience.waits():
        try:
            return what()
        except TryLater as problem:
            asked = problem.retry_after or 0.0
            if asked > patience.longest_asked:
                raise
            told(problem, max(wait, asked))
            patience.sleep(max(wait, asked))
    return what()


def seconds_of(retry_after: str) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3), which is seconds or a date; None if neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
