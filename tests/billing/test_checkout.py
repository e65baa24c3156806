"""From the order to the verified event that entitles."""

import re

import pytest
from pytest_django import Settings

from dev.fake_stripe import FakeStripe
from gas.billing import Billing, BillingUnavailable, EventKind, SubscriptionState
from tests.billing.inbox import Inbox
from tests.billing.shopper import GOOD_CARD, SUCCESS_URL, Shopper, post, read


def test_a_paid_checkout_becomes_a_verified_event_for_the_buyer(shopper: Shopper) -> None:
    status, target = post(shopper.order(user_id=41), card=GOOD_CARD)
    created, completed, invoice = shopper.events(3)
    assert (status, target) == (303, SUCCESS_URL)
    assert created.kind is completed.kind is EventKind.STARTED
    assert created.user_id == completed.user_id == 41
    assert created.subscription_id == completed.subscription_id
    assert created.subscription_id.startswith("sub_")
    assert created.customer_id.startswith("cus_")
    assert created.id != completed.id
    assert invoice.kind is EventKind.OTHER
    assert (invoice.user_id, invoice.subscription_id) == (None, "")


def test_an_unpaid_checkout_tells_nobody_anything(shopper: Shopper, provider: FakeStripe) -> None:
    read(shopper.order())
    assert provider.events == []


def test_the_same_key_gives_the_same_checkout(shopper: Shopper) -> None:
    assert shopper.order(key="first") == shopper.order(key="first")
    assert shopper.order(key="first") != shopper.order(key="second")


def test_the_same_key_with_another_order_is_another_checkout(shopper: Shopper) -> None:
    assert shopper.order(email="old@example.org") != shopper.order(email="new@example.org")
    assert shopper.order(user_id=1) != shopper.order(user_id=2)


def test_a_buyer_without_a_mail_address_can_pay(shopper: Shopper) -> None:
    assert post(shopper.order(email=""), card=GOOD_CARD)[0] == 303


def test_paying_a_checkout_twice_buys_one_subscription(
    shopper: Shopper, provider: FakeStripe
) -> None:
    checkout = shopper.order()
    assert post(checkout, card=GOOD_CARD) == post(checkout, card=GOOD_CARD)
    kinds = [event["type"] for event in provider.events]
    assert kinds.count("customer.subscription.created") == 1
    assert "already" in read(checkout).lower()


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        ("4000 0000 0000 0002", "Your card was declined."),
        ("1234", "Your card number is invalid."),
        ("", "Your card number is invalid."),
    ],
)
def test_a_refused_card_says_why_and_sells_nothing(
    shopper: Shopper, provider: FakeStripe, card: str, sentence: str
) -> None:
    status, page = post(shopper.order(), card=card)
    assert status == 402
    assert re.search(rf'role="alert">{sentence}', page)
    assert provider.events == []


def test_a_refused_card_can_be_replaced_by_a_good_one(shopper: Shopper) -> None:
    checkout = shopper.order()
    post(checkout, card="4000 0000 0000 0002")
    assert post(checkout, card=GOOD_CARD) == (303, SUCCESS_URL)


def test_what_the_buyer_typed_is_shown_as_text(shopper: Shopper) -> None:
    page = post(shopper.order(), card='"><script>')[1]
    assert "<script>" not in page


def test_a_customer_cancels_in_the_portal(billing: Billing, shopper: Shopper, inbox: Inbox) -> None:
    started = shopper.subscribe()
    portal = billing.portal(
        customer_id=started.customer_id, return_url="http://127.0.0.1:8000/subscription/"
    )
    assert "http://127.0.0.1:8000/subscription/" in read(portal)
    assert post(portal, subscription=started.subscription_id) == (303, portal)
    [ended] = shopper.events(1)
    assert ended.kind is EventKind.ENDED
    assert (ended.subscription_id, ended.user_id) == (started.subscription_id, 7)
    assert "Cancelled on" in read(portal)


def test_cancelling_twice_ends_the_subscription_once(
    billing: Billing, provider: FakeStripe, shopper: Shopper
) -> None:
    started = shopper.subscribe()
    portal = billing.portal(customer_id=started.customer_id, return_url="http://127.0.0.1:8000/")
    for _ in range(2):
        assert post(portal, subscription=started.subscription_id) == (303, portal)
    kinds = [event["type"] for event in provider.events]
    assert kinds.count("customer.subscription.deleted") == 1


def test_a_portal_ends_only_its_own_customers_subscription(
    billing: Billing, shopper: Shopper
) -> None:
    mine = shopper.subscribe()
    post(shopper.order(user_id=8), card=GOOD_CARD)
    theirs = shopper.events(3)[0]
    portal = billing.portal(customer_id=mine.customer_id, return_url="http://127.0.0.1:8000/")
    post(portal, subscription=theirs.subscription_id)
    assert billing.subscription_state(theirs.subscription_id) is SubscriptionState.ACTIVE


def test_we_can_end_a_subscription_ourselves_and_repeat_it(
    billing: Billing, shopper: Shopper
) -> None:
    started = shopper.subscribe()
    billing.cancel(subscription_id=started.subscription_id)
    billing.cancel(subscription_id=started.subscription_id)
    assert billing.subscription_state(started.subscription_id) is SubscriptionState.ENDED
    assert [event.kind for event in shopper.events(1)] == [EventKind.ENDED]


def test_a_price_that_is_not_set_sells_nothing(
    billing: Billing, shopper: Shopper, settings: Settings
) -> None:
    settings.STRIPE_PRICE = ""
    with pytest.raises(BillingUnavailable):
        shopper.order()
