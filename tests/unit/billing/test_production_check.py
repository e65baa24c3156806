"""A production site must not sell through a stand-in."""

import pytest
from django.core.checks import registry
from pytest_django import Settings

from gas.billing.checks import production_billing

LIVE = {
    "PRODUCTION": True,
    "STRIPE_URL": "https://api.stripe.com",
    "STRIPE_KEY": "sk_live_4f",
    "STRIPE_WEBHOOK_SECRET": "whsec_4f",
    "STRIPE_PRICE": "price_4f",
}


def found(settings: Settings, **changed: object) -> list[str]:
    for name, value in (LIVE | changed).items():
        setattr(settings, name, value)
    return [str(message.id).removeprefix("gas.billing.") for message in production_billing(None)]


def test_a_live_configuration_passes(settings: Settings) -> None:
    assert found(settings) == []
    assert found(settings, STRIPE_KEY="rk_live_4f") == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("STRIPE_URL", "http://127.0.0.1:8002", "E001"),
        ("STRIPE_URL", "https://api.stripe.com.example.org", "E001"),
        ("STRIPE_KEY", "", "E002"),
        ("STRIPE_KEY", "sk_test_local", "E002"),
        ("STRIPE_KEY", "sk_test_4f", "E002"),
        ("STRIPE_WEBHOOK_SECRET", "", "E003"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_local", "E003"),
        ("STRIPE_PRICE", "", "E004"),
        ("STRIPE_PRICE", "price_local_premium", "E004"),
    ],
)
def test_a_stand_in_or_a_gap_is_refused(
    settings: Settings, name: str, value: str, code: str
) -> None:
    assert found(settings, **{name: value}) == [code]


def test_a_laptop_needs_none_of_it(settings: Settings) -> None:
    assert found(settings, PRODUCTION=False, STRIPE_KEY="sk_test_local") == []


def test_the_site_runs_the_check() -> None:
    assert production_billing in registry.registry.get_checks(include_deployment_checks=True)


def test_the_defaults_of_a_laptop_are_refused_in_production(settings: Settings) -> None:
    settings.PRODUCTION = True
    codes = [str(message.id)[-4:] for message in production_billing(None)]
    assert codes == ["E001", "E002", "E003", "E004"]
