"""The mails that the mail service took, as they were handed over; the local AWS forgets them."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dev.faults.proxy import Answer, Exchange, Fault

ACTION = "SendEmail"
SEND = "/outbound-emails"


@dataclass
class _Seen(Exchange):
    """A request whose success is noted, whatever a fault makes of the answer."""

    taken: list[bytes]

    def forward(self) -> Answer:
        """Ask the mail service, and keep the mail that it takes."""
        answer = super().forward()
        if answer.status == 200 and self.call.path.endswith(SEND):
            self.taken.append(self.call.body)
        return answer


@dataclass
class Postbox:
    """What becomes of each mail; to be imposed on `SendEmail` for the length of a run."""

    taken: list[bytes] = field(default_factory=list)
    hits: int = 0
    _fault: Fault | None = None
    _share: float = 0.0
    _dice: random.Random = field(default_factory=random.Random)
    _lifted: threading.Event = field(default_factory=threading.Event)

    def __call__(self, exchange: Exchange) -> None:
        """Pass a mail on, or let it fail."""
        seen = _Seen(exchange.call, exchange.method, exchange.handler, self._lifted, self.taken)
        fault = self._fault
        if fault is None or self._dice.random() >= self._share:
            seen.reply(seen.forward())
            return
        self.hits += 1
        fault(seen)

    @contextmanager
    def failing(self, fault: Fault, share: float, dice: random.Random) -> Iterator[None]:
        """Let a share of the mails fail for the length of the block."""
        self._lifted, self._share, self._dice, self._fault = threading.Event(), share, dice, fault
        try:
            yield
        finally:
            self._fault = None
            self._lifted.set()
