"""Signed webhooks, sent until they are taken, and the ways in which they can go wrong."""

import hashlib
import hmac
import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dev.fake_stripe.ledger import Json

FIRST_RETRY, LAST_RETRY = 0.2, 5.0  # seconds between attempts, doubling
GIVE_UP = 120.0  # seconds after which an event is no longer sent


@dataclass
class Switches:
    """What goes wrong on purpose; each may be turned while the fake runs."""

    delay: float = 0.0  # seconds before the first attempt
    duplicate: bool = False  # every event is sent twice
    reorder: bool = False  # the events of one action are sent last to first
    drop: bool = False  # nothing is sent
    forge: bool = False  # signed with another secret
    outage: int = 0  # the HTTP status that every call of the API gets


@dataclass(order=True)
class _Letter:
    due: float
    number: int
    event: Json = field(compare=False)
    give_up: float = field(compare=False)
    wait: float = field(compare=False, default=FIRST_RETRY)


def sign(payload: bytes, secret: str, *, at: float) -> str:
    """Return the Stripe-Signature header, https://docs.stripe.com/webhooks#verify-manually."""
    signed = f"{int(at)}.".encode() + payload
    return f"t={int(at)},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Postman:
    """One thread that posts events to the site, each until a 2xx or until it gives up."""

    def __init__(self, *, webhook: str, secret: str, switches: Switches) -> None:
        self.webhook, self.secret, self.switches = webhook, secret, switches
        self.events: list[Json] = []
        self.deliveries: list[tuple[str, int]] = []  # event id, HTTP status (0: no answer)
        self._letters: list[_Letter] = []
        self._number = 0
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="fake-stripe-webhooks")
        self._thread.start()

    def send(self, events: list[Json]) -> None:
        """Note the events and queue them as the switches say."""
        self.events += events
        if self.switches.drop or not self.webhook:
            return
        ordered = events[::-1] if self.switches.reorder else events
        copies = 2 if self.switches.duplicate else 1
        with self._changed:
            for event in ordered * copies:
                self._queue(event)

    def resend(self, event_id: str) -> None:
        """Send a known event once more, whatever the switches say."""
        event = next(event for event in self.events if event["id"] == event_id)
        with self._changed:
            self._queue(event)

    def settled(self) -> bool:
        """Tell whether every event was taken or given up."""
        with self._changed:
            return not self._letters

    def stop(self) -> None:
        """Stop sending; what was not taken is lost."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _queue(self, event: Json) -> None:
        self._number += 1
        due = time.monotonic() + self.switches.delay
        self._letters.append(_Letter(due, self._number, event, due + GIVE_UP))
        self._changed.notify()

    def _run(self) -> None:
        while letter := self._next():
            status = self._post(letter.event)
            self.deliveries.append((letter.event["id"], status))
            with self._changed:
                self._settle(letter, status)

    def _next(self) -> _Letter | None:
        """Wait for the next letter that is due; None when stopped."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if self._letters and (letter := min(self._letters)).due <= now:
                    return letter
                self._changed.wait(letter.due - now if self._letters else None)
        return None

    def _settle(self, letter: _Letter, status: int) -> None:
        now = time.monotonic()
        if 200 <= status < 300 or now >= letter.give_up:
            self._letters.remove(letter)
            return
        letter.due, letter.wait = now + letter.wait, min(2 * letter.wait, LAST_RETRY)

    def _post(self, event: Json) -> int:
        payload = json.dumps(event, indent=2).encode()
        secret = f"not {self.secret}" if self.switches.forge else self.secret
        to = urlsplit(self.webhook)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(payload, secret, at=time.time()),
        }
        line = http.client.HTTPConnection(to.hostname or "", to.port, timeout=60)
        try:
            line.request("POST", to.path or "/", payload, headers)
            return line.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            line.close()
