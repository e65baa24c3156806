"""What is refused before anybody is asked about it."""

import json
import time

import pytest
import stripe
from pytest_django import Settings

from dev.fake_stripe import sign
from gas.billing import Billing, EventKind, EventRefused, get_billing
from gas.billing.stripe import StripeBilling

INVOICE = {"id": "evt_1", "type": "invoice.paid", "created": 1_750_000_000, "data": {"object": {}}}


@pytest.fixture
def billing() -> Billing:
    return get_billing()


def signed(payload: bytes, secret: str) -> tuple[bytes, str]:
    return payload, sign(payload, secret, at=time.time())


def test_the_provider_is_chosen_by_a_dotted_path(settings: Settings) -> None:
    assert isinstance(get_billing(), StripeBilling)
    settings.BILLING = "gas.billing.nowhere.Nothing"
    with pytest.raises(ImportError):
        get_billing()


def test_an_event_that_is_not_about_a_subscription_means_nothing(
    billing: Billing, settings: Settings
) -> None:
    payload, signature = signed(json.dumps(INVOICE).encode(), settings.STRIPE_WEBHOOK_SECRET)
    event = billing.verified_event(payload=payload, signature=signature)
    assert (event.id, event.kind, event.user_id) == ("evt_1", EventKind.OTHER, None)
    assert event.occurred_at.isoformat() == "2025-06-15T15:06:40+00:00"


def test_stripes_library_writes_no_file_about_this_machine() -> None:
    assert get_billing() is not None
    assert stripe.enable_telemetry is False


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        "t=,v1=",
        "t=1",
        "v1=ab",
        "t=1,v1=ab",
        "t=1e3,v0=ab",
        "t=1,v1=é",
        f"t={'9' * 5000},v1=ab",
        "\x00",
    ],
)
def test_a_header_that_is_no_signature_is_refused(billing: Billing, signature: str) -> None:
    with pytest.raises(EventRefused):
        billing.verified_event(payload=json.dumps(INVOICE).encode(), signature=signature)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        json.dumps(INVOICE | {"created": "soon"}).encode(),
        json.dumps(INVOICE | {"data": None}).encode(),
        json.dumps(INVOICE | {"type": "customer.subscription.created"}).encode(),
        json.dumps(INVOICE | {"type": "checkout.session.completed"}).encode(),
    ],
)
def test_a_signed_payload_that_is_no_event_is_refused(
    billing: Billing, settings: Settings, payload: bytes
) -> None:
    try:
        header = signed(payload, settings.STRIPE_WEBHOOK_SECRET)[1]
    except UnicodeDecodeError:
        header = "t=1,v1=ab"
    with pytest.raises(EventRefused):
        billing.verified_event(payload=payload, signature=header)


def test_without_a_webhook_secret_every_event_is_refused(
    billing: Billing, settings: Settings
) -> None:
    settings.STRIPE_WEBHOOK_SECRET = ""
    payload, signature = signed(json.dumps(INVOICE).encode(), "")
    with pytest.raises(EventRefused):
        billing.verified_event(payload=payload, signature=signature)


def test_a_checkout_that_sold_no_subscription_means_nothing(
    billing: Billing, settings: Settings
) -> None:
    donation = INVOICE | {
        "type": "checkout.session.completed",
        "data": {"object": {"id": "cs_1", "subscription": None}},
    }
    payload, signature = signed(json.dumps(donation).encode(), settings.STRIPE_WEBHOOK_SECRET)
    event = billing.verified_event(payload=payload, signature=signature)
    assert event.kind is EventKind.OTHER
