"""Calls of webhooks that end as their owner ends the webhook."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from gas.models import Delivery, User, Webhook, WebhookEvent
from gas.services import accounts, webhooks
from tests.database.threads import at_once
from tests.seams.world import World

ROUNDS = 8
DONE = WebhookEvent.COMPLETED
ADDRESS = "https://hooks.example.org/gas"


def taken(delivery: Delivery) -> None:
    delivery.record_taken(answered=200, said="")


def failed(delivery: Delivery) -> None:
    soon = timedelta(minutes=1)
    delivery.record_failed(answered=500, said="", again_in=soon, rest=soon)


def pause(webhook: Webhook) -> None:
    webhooks.pause(webhook=webhook)


def remove(webhook: Webhook) -> None:
    webhooks.remove(webhook=webhook)


def leave(webhook: Webhook) -> None:
    accounts.leave(user=webhook.owner)


@pytest.mark.parametrize("record", [taken, failed])
@pytest.mark.parametrize("end", [pause, remove, leave])
def test_whoever_ends_a_webhook_and_its_call_keep_each_other_from_nothing(
    world: World, record: Callable[[Delivery], None], end: Callable[[Webhook], None]
) -> None:
    for number in range(ROUNDS):
        owner = User.objects.create_user(f"owner-{number}")
        webhook = webhooks.add(user=owner, url=ADDRESS, events=[DONE]).webhook
        delivery = webhook.owe(DONE)
        at_once(partial(record, delivery), partial(end, webhook))
    assert not Delivery.objects.awaited().exists()
