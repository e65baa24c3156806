"""What a production site must have set before it may take money."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

LIVE_URL = "https://api.stripe.com"


def production_billing(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse a stand-in for Stripe, test keys and missing secrets on a production site."""
    if not settings.PRODUCTION:
        return []
    rules = [
        (settings.STRIPE_URL == LIVE_URL, f"GAS_STRIPE_URL must be {LIVE_URL}.", "E001"),
        (
            settings.STRIPE_KEY.startswith(("sk_live_", "rk_live_")),
            "GAS_STRIPE_KEY must be a live key: a test key sells to anybody with the test card.",
            "E002",
        ),
        (
            _is_real(settings.STRIPE_WEBHOOK_SECRET, "whsec_"),
            "GAS_STRIPE_WEBHOOK_SECRET must be the signing secret of the webhook (whsec_...).",
            "E003",
        ),
        (
            _is_real(settings.STRIPE_PRICE, "price_"),
            "GAS_STRIPE_PRICE must be the id of the subscription's price (price_...).",
            "E004",
        ),
    ]
    return [Error(text, id=f"gas.billing.{code}") for met, text, code in rules if not met]


def _is_real(value: str, prefix: str) -> bool:
    """Tell a value of Stripe's from an empty one and from the defaults of a laptop."""
    return value.startswith(prefix) and not value.startswith(f"{prefix}local")
