"""Webhooks that end, and what is lost on the way: switched off, sent again, killed, forgotten."""

from datetime import timedelta
from itertools import count

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from gas.models import AccountEvent, Delivery, Notice, User, Webhook
from gas.webhooks.sending import Answer
from tasks import deliver as module
from tasks.sweep import sweep
from tests.seams.letters import body_of
from tests.seams.world import World
from tests.unit.tasks.webhooks import DAY, REFUSED, SECRET, Hook, again, owed, time_passes, turn
from tests.unit.tasks.webhooks import hook as hook

# --- the end --------------------------------------------------------------------------------------


def test_a_webhook_that_fails_for_days_is_switched_off_and_its_owner_told(
    world: World, hook: Hook, owner: User
) -> None:
    webhook = hook(failures=module.MOST_FAILURES - 1, failing_since=Now() - 6 * DAY)
    first, waiting = owed(webhook), owed(webhook)
    world.receiver.answer = REFUSED
    turn(world, webhook)
    webhook.refresh_from_db()
    assert (webhook.is_on, webhook.disabled_reason) == (False, "Every call of 5 days has failed.")
    assert not again(first).is_owed
    assert not again(waiting).is_owed
    assert AccountEvent.objects.get(account=owner).what.startswith(f"webhook {webhook.pk} was")
    assert Notice.objects.get().kind == Notice.Kind.UNHOOKED
    assert world.broker.deliver("notify") == "SUCCESS"
    assert world.post.sent == ["unhooked"]


def test_a_few_failures_long_apart_switch_nothing_off(world: World, hook: Hook) -> None:
    webhook = hook(failures=1, failing_since=Now() - 6 * DAY)
    owed(webhook)
    world.receiver.answer = REFUSED
    turn(world, webhook)
    webhook.refresh_from_db()
    assert webhook.is_on


def test_a_receiver_that_is_gone_is_asked_no_more(world: World, hook: Hook) -> None:
    webhook = hook()
    owed(webhook)
    world.receiver.answer = Answer(410, "")
    turn(world, webhook)
    webhook.refresh_from_db()
    assert webhook.disabled_reason == module.GONE


def test_a_webhook_that_is_deleted_while_its_call_fails_is_let_go(world: World, hook: Hook) -> None:
    webhook = hook()
    owed(webhook)
    world.receiver.answer = REFUSED
    world.receiver.meanwhile = Webhook.objects.all().delete
    assert turn(world, webhook) == "SUCCESS"
    assert world.broker.names() == []


def test_a_secret_sealed_with_another_key_is_a_failure_that_says_so(
    world: World, hook: Hook, settings: Settings
) -> None:
    delivery = owed(hook())
    settings.TOKEN_KEYS = [b"A" * 43 + b"="]
    turn(world, delivery.webhook)
    assert "make the webhook anew" in again(delivery).said
    assert world.receiver.came == []


# --- what is lost ---------------------------------------------------------------------------------


def test_the_sweep_sends_a_lost_message_again_and_on_a_good_day_none(
    world: World, hook: Hook
) -> None:
    webhook = hook()
    sweep()
    owed(webhook)
    sweep()
    assert world.broker.names() == []
    time_passes(webhook, timedelta(hours=1))
    sweep()
    assert world.broker.names() == ["deliver"]
    sweep()
    assert world.broker.names() == ["deliver"]


def test_the_sweep_is_silent_while_a_webhook_rests_or_the_queue_is_deep(
    world: World, hook: Hook
) -> None:
    webhook = hook(rests_until=Now() + DAY)
    owed(webhook)
    time_passes(webhook, timedelta(hours=1))
    sweep()
    assert world.broker.names() == []
    Webhook.objects.update(rests_until=None)
    world.letters.deeper = 5
    sweep()
    assert world.broker.names() == []


def test_old_calls_are_forgotten(world: World, hook: Hook, settings: Settings) -> None:
    webhook = hook()
    old, young = owed(webhook), owed(webhook)
    Delivery.objects.filter(pk=old.pk).update(created_at=Now() - settings.WEBHOOK_KEPT)
    sweep()
    assert list(Delivery.objects.all()) == [young]


def test_a_dead_letter_is_an_alarm_and_the_calls_stay_owed(world: World, hook: Hook) -> None:
    webhook = hook()
    delivery = owed(webhook)
    world.letters.post("deliver", body_of("deliver", webhook.pk))
    sweep()
    assert world.letters.in_dead_letters("deliver") == []
    assert again(delivery).is_owed


def test_a_message_names_its_owner_to_fair_queues(world: World, hook: Hook, owner: User) -> None:
    module.deliver.delay(hook().pk)
    (message,) = world.broker.arrived("deliver")
    assert message.properties["MessageGroupId"] == str(owner.pk)


def test_neither_address_nor_secret_reaches_the_log(
    world: World, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    webhook = hook(url="https://hooks.example.org/planted-path?key=planted")
    owed(webhook)
    world.receiver.answer = REFUSED
    turn(world, webhook)
    assert f"webhook {webhook.pk} failed: 500" in caplog.text
    assert "planted" not in caplog.text
    assert SECRET not in caplog.text


# --- deaths ---------------------------------------------------------------------------------------


@pytest.mark.in_memory
def test_a_call_is_made_at_least_once_wherever_the_worker_that_makes_it_dies(
    world: World, hook: Hook
) -> None:
    delivery = owed(hook())
    module.deliver.delay(delivery.webhook_id)
    for step in count():
        with world.on_trial():
            died = world.dies("deliver", before=step)
            called = len(world.receiver.came)
            world.until_quiet()
            assert again(delivery).delivered_at is not None
            ids = {headers["webhook-id"] for headers, _ in world.receiver.came}
            assert ids == {str(delivery.message_id)}
            assert len(world.receiver.came) - called <= 1
        if not died:
            break
    assert step >= 4
