"""A payment provider in memory: what is true of each subscription now, and what was asked."""

from datetime import UTC, datetime

import pytest

from gas.billing.protocol import Event, EventKind, SubscriptionState
from gas.models import User
from gas.services import subscriptions


class FakeBilling:
    """Tells the state of subscriptions; `owner` is the account that every event is about."""

    def __init__(self) -> None:
        self.states: dict[str, SubscriptionState] = {}
        self.cancelled: list[str] = []
        self.keys: list[str] = []
        self.owner = 0
        self.fault: Exception | None = None

    def checkout(
        self, *, user_id: int, email: str, success_url: str, cancel_url: str, idempotency_key: str
    ) -> str:
        self.keys.append(idempotency_key)
        return "https://pay.example.org"

    def portal(self, *, customer_id: str, return_url: str) -> str:
        return f"https://portal.example.org/{customer_id}"

    def verified_event(self, *, payload: bytes, signature: str) -> Event:
        name, _, subscription = payload.decode().partition(" ")
        kinds = {
            SubscriptionState.ACTIVE: EventKind.STARTED,
            SubscriptionState.UNPAID: EventKind.STARTED,
            SubscriptionState.ENDED: EventKind.ENDED,
        }
        kind = kinds.get(self.states[subscription], EventKind.OTHER)
        return Event(name, kind, datetime.now(UTC), subscription, "cus_1", self.owner)

    def subscription_state(self, subscription_id: str) -> SubscriptionState:
        if self.fault:
            raise self.fault
        return self.states[subscription_id]

    def cancel(self, *, subscription_id: str) -> None:
        self.cancelled.append(subscription_id)
        self.states[subscription_id] = SubscriptionState.ENDED

    def tell(self, event: str, subscription: str, now: SubscriptionState) -> None:
        """Let the site receive an event of a subscription that is in this state now."""
        self.states[subscription] = now
        subscriptions.receive_event(payload=f"{event} {subscription}".encode(), signature="")


@pytest.fixture
def billing(owner: User, monkeypatch: pytest.MonkeyPatch) -> FakeBilling:
    """A provider whose every event is about the owner."""
    fake = FakeBilling()
    fake.owner = owner.pk
    monkeypatch.setattr(subscriptions, "get_billing", lambda: fake)
    return fake
