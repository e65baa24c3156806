"""Webhooks that are forged, changed, late, doubled, reordered or lost."""

import json
import time
from typing import Any

import pytest
from pytest_django import Settings

from dev.fake_stripe import FakeStripe, sign
from gas.billing import Billing, BillingUnavailable, EventKind, EventRefused
from tests.billing.inbox import Inbox
from tests.billing.shopper import GOOD_CARD, Shopper, post


def test_a_forged_signature_is_refused(
    billing: Billing, provider: FakeStripe, shopper: Shopper, inbox: Inbox
) -> None:
    provider.switches.forge = True
    post(shopper.order(), card=GOOD_CARD)
    for payload, signature in inbox.take(3):
        with pytest.raises(EventRefused, match="wrong or too old"):
            billing.verified_event(payload=payload, signature=signature)


def test_a_changed_payload_is_refused(billing: Billing, shopper: Shopper, inbox: Inbox) -> None:
    post(shopper.order(user_id=7), card=GOOD_CARD)
    payload, signature = inbox.take(3)[0]
    changed = payload.replace(b'"gas_user_id": "7"', b'"gas_user_id": "8"')
    assert changed != payload
    with pytest.raises(EventRefused):
        billing.verified_event(payload=changed, signature=signature)


def test_a_signature_of_another_event_is_refused(
    billing: Billing, shopper: Shopper, inbox: Inbox
) -> None:
    post(shopper.order(), card=GOOD_CARD)
    (payload, _), (_, signature), _ = inbox.take(3)
    with pytest.raises(EventRefused):
        billing.verified_event(payload=payload, signature=signature)


def test_an_old_event_is_refused(
    billing: Billing, shopper: Shopper, inbox: Inbox, settings: Settings
) -> None:
    post(shopper.order(), card=GOOD_CARD)
    payload = inbox.take(3)[0][0]
    secret = settings.STRIPE_WEBHOOK_SECRET
    fresh = sign(payload, secret, at=time.time() - 290)
    stale = sign(payload, secret, at=time.time() - 310)
    assert billing.verified_event(payload=payload, signature=fresh).kind is EventKind.STARTED
    with pytest.raises(EventRefused):
        billing.verified_event(payload=payload, signature=stale)


def test_every_delivery_of_an_event_carries_the_same_id(
    provider: FakeStripe, shopper: Shopper
) -> None:
    provider.switches.duplicate = True
    post(shopper.order(), card=GOOD_CARD)
    events = shopper.events(6)
    assert len({event.id for event in events}) == 3
    assert [event.kind for event in events].count(EventKind.STARTED) == 4


def test_reordered_events_tell_the_same_truth(provider: FakeStripe, shopper: Shopper) -> None:
    provider.switches.reorder = True
    post(shopper.order(), card=GOOD_CARD)
    invoice, completed, created = shopper.events(3)
    assert invoice.kind is EventKind.OTHER
    assert completed.kind is created.kind is EventKind.STARTED


def test_a_start_that_arrives_after_the_end_says_ended(
    billing: Billing, provider: FakeStripe, shopper: Shopper
) -> None:
    started = shopper.subscribe()
    billing.cancel(subscription_id=started.subscription_id)
    assert shopper.events(1)[0].kind is EventKind.ENDED
    provider.resend(started.id)
    [late] = shopper.events(1)
    assert late.id == started.id
    assert late.kind is EventKind.ENDED


def test_an_event_is_sent_until_the_site_takes_it(
    provider: FakeStripe, shopper: Shopper, inbox: Inbox
) -> None:
    inbox.answers = [503, 500]
    post(shopper.order(), card=GOOD_CARD)
    provider.settle()
    assert len(inbox.take(5)) == 5
    assert sorted(status for _, status in provider.deliveries) == [200, 200, 200, 500, 503]


def test_a_lost_event_reaches_the_site_when_sent_again(
    provider: FakeStripe, shopper: Shopper, inbox: Inbox
) -> None:
    provider.switches.drop = True
    post(shopper.order(), card=GOOD_CARD)
    provider.settle()
    assert inbox.received.empty()
    provider.resend(provider.events[0]["id"])
    assert shopper.events(1)[0].kind is EventKind.STARTED


def test_a_delayed_event_comes_later_than_the_redirect(
    provider: FakeStripe, shopper: Shopper, inbox: Inbox
) -> None:
    provider.switches.delay = 0.4
    paid = time.monotonic()
    post(shopper.order(), card=GOOD_CARD)
    inbox.take(3)
    assert time.monotonic() - paid >= 0.4


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("trialing", EventKind.STARTED),
        ("past_due", EventKind.STARTED),
        ("incomplete", EventKind.OTHER),
        ("incomplete_expired", EventKind.ENDED),
        ("unpaid", EventKind.ENDED),
        ("paused", EventKind.ENDED),
        ("canceled", EventKind.ENDED),
        ("a_status_made_next_year", EventKind.ENDED),
    ],
)
def test_only_a_status_in_good_standing_entitles(
    provider: FakeStripe, shopper: Shopper, status: str, kind: EventKind
) -> None:
    started = shopper.subscribe()
    provider.turn(started.subscription_id, status)
    assert shopper.events(1)[0].kind is kind


def test_a_subscription_sold_elsewhere_is_nobodys(
    billing: Billing, provider: FakeStripe, shopper: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gas.billing.stripe.OWNER", "another_shop")
    started = shopper.subscribe()
    monkeypatch.undo()
    provider.resend(started.id)
    [event] = shopper.events(1)
    assert (event.kind, event.user_id) == (EventKind.OTHER, None)


def test_a_signed_event_about_an_unknown_subscription_entitles_nobody(
    billing: Billing, settings: Settings
) -> None:
    body: dict[str, Any] = {
        "id": "evt_1",
        "type": "customer.subscription.created",
        "created": 1,
        "data": {"object": {"id": "sub_1", "status": "active", "metadata": {"gas_user_id": "7"}}},
    }
    payload = json.dumps(body).encode()
    signature = sign(payload, settings.STRIPE_WEBHOOK_SECRET, at=time.time())
    with pytest.raises(BillingUnavailable):
        billing.verified_event(payload=payload, signature=signature)
