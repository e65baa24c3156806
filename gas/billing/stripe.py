"""Stripe Checkout, its billing portal and its webhooks."""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import stripe
from django.conf import settings
from stripe.params.checkout import SessionCreateParams

from gas.billing.protocol import (
    BillingUnavailable,
    Event,
    EventKind,
    EventRefused,
    SubscriptionState,
)

log = logging.getLogger(__name__)

# Telemetry writes a file into the home directory, which a service may not have.
stripe.enable_telemetry = False

CONNECT_SECONDS = 3.05
SIGNATURE_SECONDS = 300  # older signatures are replays
OWNER = "gas_user_id"  # on the subscription: which account it is for

#: Stripe's statuses of a subscription; one that is not named here entitles nobody.
#: https://docs.stripe.com/api/subscriptions/object#subscription_object-status
_STATES = {
    "active": SubscriptionState.ACTIVE,
    "trialing": SubscriptionState.ACTIVE,
    "past_due": SubscriptionState.UNPAID,
    "incomplete": SubscriptionState.PENDING,
}
_KINDS = {
    SubscriptionState.ACTIVE: EventKind.STARTED,
    SubscriptionState.UNPAID: EventKind.STARTED,
    SubscriptionState.ENDED: EventKind.ENDED,
}


@dataclass(frozen=True)
class _Notice:
    """What we read from a webhook: which subscription to ask about, and nothing it says of it."""

    id: str
    occurred_at: datetime
    subscription_id: str


class StripeBilling:
    """Payments by Stripe, or by the loopback stand-in that speaks its protocol."""

    def __init__(self) -> None:
        timeout = settings.STRIPE_TIMEOUT.total_seconds()
        self._api = _client(settings.STRIPE_KEY, settings.STRIPE_URL, timeout).v1

    def checkout(
        self, *, user_id: int, email: str, success_url: str, cancel_url: str, idempotency_key: str
    ) -> str:
        """Return the address where a browser pays; the same key gives the same address."""
        order: SessionCreateParams = {
            "mode": "subscription",
            "line_items": [{"price": settings.STRIPE_PRICE, "quantity": 1}],
            "client_reference_id": str(user_id),
            "subscription_data": {"metadata": {OWNER: str(user_id)}},
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        if email:
            order["customer_email"] = email
        # Stripe refuses a key that comes back with another order, so the order is part of the key:
        # a new mail address or a new release must not lock anybody out for a day.
        digest = hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()[:16]
        key = f"{idempotency_key}-{digest}"
        with _translated("checkout"):
            session = self._api.checkout.sessions.create(order, {"idempotency_key": key})
        if not session.url:
            raise BillingUnavailable("Stripe made a checkout without an address.")
        return session.url

    def portal(self, *, customer_id: str, return_url: str) -> str:
        """Return the address where a customer sees invoices and cancels."""
        with _translated("portal"):
            session = self._api.billing_portal.sessions.create(
                {"customer": customer_id, "return_url": return_url}
            )
        return session.url

    def verified_event(self, *, payload: bytes, signature: str) -> Event:
        """Return the event a webhook carried, or raise EventRefused.

        The signature proves who sent it; what it means is asked of Stripe anew, so that late,
        repeated and reordered events all tell the same truth.
        """
        notice = _read(payload, signature)
        if notice.subscription_id:
            subscription = self._subscription(notice.subscription_id)
            owner = subscription.metadata.to_dict().get(OWNER, "")
            kind = _KINDS.get(_state(subscription))
            if kind and owner.isdecimal():  # one without an owner was not sold by our checkout
                return Event(
                    id=notice.id,
                    kind=kind,
                    occurred_at=notice.occurred_at,
                    subscription_id=subscription.id,
                    customer_id=str(subscription.customer),
                    user_id=int(owner),
                )
        return Event(notice.id, EventKind.OTHER, notice.occurred_at)

    def subscription_state(self, subscription_id: str) -> SubscriptionState:
        """Ask Stripe what is true of a subscription now."""
        return _state(self._subscription(subscription_id))

    def cancel(self, *, subscription_id: str) -> None:
        """End a subscription at once; one that has ended already stays ended."""
        if self.subscription_state(subscription_id) is SubscriptionState.ENDED:
            return
        with _translated("cancel"):
            self._api.subscriptions.cancel(subscription_id)

    def _subscription(self, subscription_id: str) -> stripe.Subscription:
        with _translated("subscription"):
            return self._api.subscriptions.retrieve(subscription_id)


@cache
def _client(key: str, url: str, timeout: float) -> stripe.StripeClient:
    """Make the one client of a process; its sessions keep connections open, one per thread."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": url},
        max_network_retries=1,
        http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, timeout)),
    )


@contextmanager
def _translated(verb: str) -> Iterator[None]:
    """Turn Stripe's errors into ours, without their messages: those repeat mail addresses."""
    try:
        yield
    except stripe.StripeError as error:
        log.warning(
            "stripe %s failed: %s status=%s code=%s request=%s",
            verb,
            type(error).__name__,
            error.http_status,
            error.code,
            error.request_id,
        )
        raise BillingUnavailable(f"Stripe did not answer the {verb} request.") from None


def _state(subscription: stripe.Subscription) -> SubscriptionState:
    return _STATES.get(subscription.status, SubscriptionState.ENDED)


def _read(payload: bytes, signature: str) -> _Notice:
    """Check the signature, then read the few fields we use."""
    try:
        stripe.WebhookSignature.verify_header(
            payload, signature, settings.STRIPE_WEBHOOK_SECRET, SIGNATURE_SECONDS
        )
        return _notice(json.loads(payload))
    except stripe.SignatureVerificationError as error:
        raise EventRefused("The signature is wrong or too old.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise EventRefused("The event cannot be read.") from error


def _notice(body: Any) -> _Notice:
    """Read an event object, https://docs.stripe.com/api/events/object."""
    kind, subject = str(body["type"]), body["data"]["object"]
    subscription_id = ""
    if kind.startswith("customer.subscription."):
        subscription_id = str(subject["id"])
    elif kind == "checkout.session.completed":
        subscription_id = str(subject["subscription"] or "")
    occurred_at = datetime.fromtimestamp(int(body["created"]), UTC)
    return _Notice(str(body["id"]), occurred_at, subscription_id)
