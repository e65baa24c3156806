"""A loopback Stripe: checkout page, billing portal, the calls we make, and signed webhooks.

It knows two cards, 4242424242424242 (pays) and 4000000000000002 (declined), and moves no money.
"""

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.fake_stripe.ledger import Json, Ledger, Refused
from dev.fake_stripe.server import Server
from dev.fake_stripe.webhooks import Postman, Switches, sign
from gas import settings

__all__ = ["FakeStripe", "Ledger", "Refused", "Switches", "sign", "start"]


class FakeStripe:
    """A running fake; a context manager that stops it."""

    def __init__(self, *, port: int, webhook: str, state: Path | None) -> None:
        self.switches = Switches()
        self._ledger = Ledger(state)
        self._postman = Postman(
            webhook=webhook, secret=settings.STRIPE_WEBHOOK_SECRET, switches=self.switches
        )
        self._server = Server(port, self._ledger, self._postman, settings.STRIPE_KEY)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True, name="fake-stripe"
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The address of the API and of the pages."""
        return self._server.url

    @property
    def events(self) -> list[Json]:
        """Every event so far, sent or not."""
        return list(self._postman.events)

    @property
    def deliveries(self) -> list[tuple[str, int]]:
        """Every attempt so far: event id and the HTTP status of the site (0: no answer)."""
        return list(self._postman.deliveries)

    def resend(self, event_id: str) -> None:
        """Send a known event once more, whatever the switches say."""
        self._postman.resend(event_id)

    def turn(self, subscription_id: str, status: str) -> None:
        """Put a subscription into any of Stripe's statuses and tell the site."""
        self._postman.send(self._ledger.turn(subscription_id, status))

    def settle(self, *, seconds: float = 120.0) -> None:
        """Wait until every event was taken or given up; raise TimeoutError if that takes longer."""
        deadline = time.monotonic() + seconds
        while not self._postman.settled():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Webhooks are still unsent after {seconds} s.")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop serving and sending."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._postman.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(*, port: int = 0, webhook: str = "", state: Path | None = None) -> FakeStripe:
    """Start a fake on loopback; port 0 takes a free one, no webhook sends nothing."""
    return FakeStripe(port=port, webhook=webhook, state=state)
