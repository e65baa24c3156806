"""What the service asks of a payment provider, and what it may be told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class BillingUnavailable(Exception):
    """The provider gave no usable answer; nothing was decided, so ask again later."""


class EventRefused(Exception):
    """An event that was not signed by the provider, is too old, or cannot be read."""


class SubscriptionState(StrEnum):
    """Whether a subscription entitles its owner right now."""

    ACTIVE = "active"
    UNPAID = "unpaid"  # it still entitles, while the provider tries the card again
    PENDING = "pending"  # the first payment is still under way
    ENDED = "ended"


class EventKind(StrEnum):
    """What an event means to us."""

    STARTED = "started"
    ENDED = "ended"
    OTHER = "other"


@dataclass(frozen=True)
class Event:
    """One verified event; `kind` says what is true of the subscription now, not when it was sent.

    STARTED and ENDED name a subscription, its customer and its owner; OTHER names nobody.
    """

    id: str
    kind: EventKind
    occurred_at: datetime
    subscription_id: str = ""
    customer_id: str = ""
    user_id: int | None = None


class Billing(Protocol):
    """One payment provider; every verb may raise BillingUnavailable."""

    def checkout(
        self, *, user_id: int, email: str, success_url: str, cancel_url: str, idempotency_key: str
    ) -> str:
        """Return the address where a browser pays; the same key gives the same address."""
        ...

    def portal(self, *, customer_id: str, return_url: str) -> str:
        """Return the address where a customer sees invoices and cancels."""
        ...

    def verified_event(self, *, payload: bytes, signature: str) -> Event:
        """Return the event a webhook carried, or raise EventRefused."""
        ...

    def subscription_state(self, subscription_id: str) -> SubscriptionState:
        """Ask the provider what is true of a subscription now."""
        ...

    def cancel(self, *, subscription_id: str) -> None:
        """End a subscription at once; one that has ended already stays ended."""
        ...
