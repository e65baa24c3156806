"""A free researcher with a browser, as far as paying goes."""

import urllib.parse
import urllib.request
from http.client import HTTPConnection

from gas.billing import Billing, Event
from tests.billing.inbox import Inbox

GOOD_CARD = "4242 4242 4242 4242"
SUCCESS_URL = "http://127.0.0.1:8000/subscription/?paid"


class Shopper:
    """Orders, pays, and takes the webhooks that this causes."""

    def __init__(self, billing: Billing, inbox: Inbox) -> None:
        self._billing, self._inbox = billing, inbox

    def order(
        self, *, user_id: int = 7, key: str = "first", email: str = "free@example.org"
    ) -> str:
        """Return the address of a checkout."""
        return self._billing.checkout(
            user_id=user_id,
            email=email,
            success_url=SUCCESS_URL,
            cancel_url="http://127.0.0.1:8000/subscription/",
            idempotency_key=key,
        )

    def subscribe(self) -> Event:
        """Pay, take the three webhooks and return the event that started the subscription."""
        post(self.order(), card=GOOD_CARD)
        return self.events(3)[0]

    def events(self, count: int) -> list[Event]:
        """Return the next webhooks, verified."""
        return [
            self._billing.verified_event(payload=payload, signature=signature)
            for payload, signature in self._inbox.take(count)
        ]


def post(address: str, **form: str) -> tuple[int, str]:
    """Submit a form; return the status, and the redirect's target or else the page."""
    to = urllib.parse.urlsplit(address)
    line = HTTPConnection(to.netloc, timeout=120)
    try:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", to.path, urllib.parse.urlencode(form), kind)
        answer = line.getresponse()
        return answer.status, answer.getheader("Location") or answer.read().decode()
    finally:
        line.close()


def read(address: str) -> str:
    """Return a page."""
    with urllib.request.urlopen(address, timeout=120) as answer:
        page: bytes = answer.read()
    return page.decode()
