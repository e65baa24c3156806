"""The fake keeps its word as a program, too: a restart, a signal, strict calls."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from dev import fake_stripe
from dev.fake_stripe import FakeStripe
from gas.billing import SubscriptionState, get_billing
from tests.billing.inbox import Inbox
from tests.billing.shopper import GOOD_CARD, Shopper, post, read


def test_a_restart_with_a_state_file_keeps_subscriptions(
    tmp_path: Path, inbox: Inbox, settings: Settings
) -> None:
    file = tmp_path / "var" / "stripe.json"
    with fake_stripe.start(webhook=inbox.url, state=file) as before:
        settings.STRIPE_URL = before.url
        started = Shopper(get_billing(), inbox).subscribe()
    with fake_stripe.start(webhook=inbox.url, state=file) as after:
        settings.STRIPE_URL = after.url
        billing = get_billing()
        assert billing.subscription_state(started.subscription_id) is SubscriptionState.ACTIVE
        portal = billing.portal(customer_id=started.customer_id, return_url="http://127.0.0.1/")
        post(portal, subscription=started.subscription_id)
    with fake_stripe.start(state=file) as last:
        settings.STRIPE_URL = last.url
        state = get_billing().subscription_state(started.subscription_id)
        assert state is SubscriptionState.ENDED


def test_the_program_serves_until_it_is_told_to_stop(inbox: Inbox, settings: Settings) -> None:
    command = [sys.executable, "-m", "dev.fake_stripe", "--port", "0", "--webhook", inbox.url]
    with subprocess.Popen(
        [*command, "--duplicate"], stdout=subprocess.PIPE, text=True, cwd=settings.ROOT
    ) as program:
        try:
            assert program.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", program.stdout.readline())
            assert found is not None
            settings.STRIPE_URL = found[0]
            shopper = Shopper(get_billing(), inbox)
            post(shopper.order(), card=GOOD_CARD)
            assert len(shopper.events(6)) == 6
        finally:
            program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=60) == 0


@pytest.mark.parametrize("parameter", ["mode", "success_url", "line_items"])
def test_a_call_with_a_wrong_parameter_is_refused_as_stripe_does(
    provider: FakeStripe, parameter: str
) -> None:
    order = {
        "mode": "subscription",
        "success_url": "http://127.0.0.1/",
        "line_items[0][price]": "price_1",
    }
    changed = {name: value for name, value in order.items() if not name.startswith(parameter)}
    for form in (changed, order | {"a_parameter_of_another_year": "1"}):
        with pytest.raises(fake_stripe.Refused):
            fake_stripe.Ledger().open_checkout(form, provider.url)


def test_pages_that_do_not_exist_say_so(provider: FakeStripe) -> None:
    for path in ("c/pay/cs_test_unknown", "p/session/bps_unknown", "elsewhere"):
        status, page = post(f"{provider.url}/{path}", card=GOOD_CARD)
        assert status == 404
        assert "does not exist" in page


def test_each_page_names_itself_and_labels_its_fields(shopper: Shopper) -> None:
    page = read(shopper.order())
    assert '<html lang="en">' in page
    assert "<h1>Subscribe to GAS Premium</h1>" in page
    assert '<label for="card">' in page


def test_the_key_of_an_order_cannot_be_used_for_another(provider: FakeStripe) -> None:
    ledger = fake_stripe.Ledger()
    assert ledger.once("k", {"a": "1"}, lambda: {"n": 1}) == {"n": 1}
    assert ledger.once("k", {"a": "1"}, lambda: {"n": 2}) == {"n": 1}
    with pytest.raises(fake_stripe.Refused, match="same parameters"):
        ledger.once("k", {"a": "2"}, lambda: {"n": 3})
