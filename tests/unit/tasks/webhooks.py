"""Webhooks of the owner and the calls that they are owed, for tests of their task."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from gas.models import Delivery, User, Webhook, WebhookEvent
from gas.sealing import seal
from gas.webhooks.sending import Answer
from gas.webhooks.signing import new_secret
from tasks.deliver import deliver
from tests.seams.world import World

SECRET = new_secret()
REFUSED = Answer(500, "later")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

Hook = Callable[..., Webhook]


@pytest.fixture
def hook(owner: User) -> Hook:
    """Make a webhook of the owner, for all events."""

    def make(*events: WebhookEvent, **columns: object) -> Webhook:
        row = {
            "owner": owner,
            "url": "https://hooks.example.org/gas",
            "secret": seal(SECRET),
            "events": list(events or WebhookEvent),
        }
        return Webhook.objects.create(**row | columns)

    return make


def time_passes(webhook: Webhook, span: timedelta) -> None:
    """Let rest and due times of a webhook come nearer."""
    for column in ("rests_until", "wake_at", "failing_since", "lease_until", "sent_at"):
        Webhook.objects.filter(pk=webhook.pk).update(**{column: F(column) - span})
    for column in ("wake_at", "created_at"):
        webhook.deliveries.update(**{column: F(column) - span})


def turn(world: World, webhook: Webhook) -> str:
    """Let a worker take the message of a webhook."""
    deliver.delay(webhook.pk)
    return world.broker.deliver("deliver")


def owed(webhook: Webhook, event: WebhookEvent = WebhookEvent.COMPLETED) -> Delivery:
    """A call that is owed, about job 7."""
    delivery = webhook.owe(event, job_id=7)
    delivery.refresh_from_db()
    return delivery


def again(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(pk=delivery.pk)
