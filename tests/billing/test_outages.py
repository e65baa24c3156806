"""Stripe that is down, slow, or does not accept us."""

import socket
import time
import traceback
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from dev.fake_stripe import FakeStripe
from gas.billing import Billing, BillingUnavailable, get_billing
from tests.billing.shopper import Shopper

PLANTED = "-".join(["planted", "value"])  # so that a quoted line of this file is not a find


@pytest.fixture
def silence() -> Iterator[str]:
    """An address that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_silent_stripe_is_given_up_in_time(silence: str, settings: Settings) -> None:
    settings.STRIPE_URL, settings.STRIPE_TIMEOUT = silence, timedelta(seconds=0.3)
    began = time.monotonic()
    with pytest.raises(BillingUnavailable):
        get_billing().subscription_state("sub_1")
    assert time.monotonic() - began < 15  # of two attempts; of one alone it is ten otherwise


def test_a_stripe_that_is_not_there_is_unavailable(silence: str, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings.STRIPE_URL = f"http://127.0.0.1:{port}"
    with pytest.raises(BillingUnavailable):
        get_billing().portal(customer_id="cus_1", return_url="http://127.0.0.1:8000/")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_is_unavailable_on_every_call(
    billing: Billing, shopper: Shopper, provider: FakeStripe, status: int
) -> None:
    started = shopper.subscribe()
    provider.switches.outage = status
    with pytest.raises(BillingUnavailable):
        shopper.order(key="second")
    with pytest.raises(BillingUnavailable):
        billing.cancel(subscription_id=started.subscription_id)
    provider.resend(started.id)
    with pytest.raises(BillingUnavailable):
        shopper.events(1)


def test_an_event_that_came_during_an_outage_counts_when_sent_again(
    provider: FakeStripe, shopper: Shopper
) -> None:
    started = shopper.subscribe()
    provider.switches.outage = 503
    provider.resend(started.id)
    with pytest.raises(BillingUnavailable):
        shopper.events(1)
    provider.switches.outage = 0
    provider.resend(started.id)
    assert shopper.events(1) == [started]


def test_a_key_that_stripe_does_not_know_is_unavailable_and_stays_secret(
    provider: FakeStripe, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STRIPE_KEY = PLANTED
    with pytest.raises(BillingUnavailable) as refusal:
        get_billing().portal(customer_id="cus_1", return_url="http://127.0.0.1:8000/")
    assert "AuthenticationError status=401" in caplog.text
    assert PLANTED not in caplog.text + "".join(traceback.format_exception(refusal.value))


def test_a_mail_address_that_stripe_refuses_stays_out_of_the_log(
    shopper: Shopper, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(BillingUnavailable) as refusal:
        shopper.order(email=PLANTED)
    assert "code=email_invalid" in caplog.text
    assert PLANTED not in caplog.text + "".join(traceback.format_exception(refusal.value))


def test_an_unknown_customer_has_no_portal(billing: Billing) -> None:
    with pytest.raises(BillingUnavailable):
        billing.portal(customer_id="cus_unknown", return_url="http://127.0.0.1:8000/")
