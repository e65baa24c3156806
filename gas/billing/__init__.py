"""Payments, behind one protocol; who is entitled is decided by verified events alone."""

from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from gas.billing.protocol import (
    Billing,
    BillingUnavailable,
    Event,
    EventKind,
    EventRefused,
    SubscriptionState,
)

__all__ = [
    "Billing",
    "BillingUnavailable",
    "Event",
    "EventKind",
    "EventRefused",
    "SubscriptionState",
    "get_billing",
]


def get_billing() -> Billing:
    """Return the provider that the setting BILLING names by its dotted path."""
    return cast(Billing, import_string(settings.BILLING)())
