"""How real: our Stripe client, over HTTP, against the loopback Stripe and a listening webhook."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from dev import fake_stripe
from dev.fake_stripe import FakeStripe
from gas.billing import Billing, get_billing
from tests.billing.inbox import Inbox
from tests.billing.shopper import Shopper


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def provider(inbox: Inbox, settings: Settings) -> Iterator[FakeStripe]:
    with fake_stripe.start(webhook=inbox.url) as fake:
        settings.STRIPE_URL = fake.url
        settings.STRIPE_TIMEOUT = timedelta(minutes=2)  # a busy machine is no outage
        yield fake


@pytest.fixture
def billing(provider: FakeStripe) -> Billing:
    return get_billing()


@pytest.fixture
def shopper(billing: Billing, inbox: Inbox) -> Shopper:
    return Shopper(billing, inbox)
