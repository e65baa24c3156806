"""A secret is changed without a call that its receiver must refuse."""

import json
import re
from datetime import timedelta

from django.db.models import F
from django.test import Client

from gas.models import AccountEvent, Webhook
from gas.sealing import unseal
from gas.services import webhooks
from gas.webhooks.signing import signature
from tasks import outbox
from tests.seams.world import World
from tests.unit.tasks.webhooks import SECRET, Hook, owed, turn
from tests.unit.tasks.webhooks import hook as hook
from tests.unit.views.conftest import researcher as researcher

DAY = timedelta(hours=24)


def signers(world: World, webhook: Webhook, *secrets: str) -> list[str]:
    """Which of these secrets the next call is signed with, in the order of its signatures."""
    owed(webhook)
    assert turn(world, webhook) == "SUCCESS"
    headers, told = world.receiver.came[-1]
    body = json.dumps(told, separators=(",", ":")).encode()
    made = {
        signature(
            secret,
            message_id=headers["webhook-id"],
            timestamp=int(headers["webhook-timestamp"]),
            body=body,
        ): secret
        for secret in secrets
    }
    return [made[given] for given in headers["webhook-signature"].split(" ")]


def time_passes(webhook: Webhook, span: timedelta) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(old_secret_until=F("old_secret_until") - span)


def test_for_a_day_each_call_is_signed_with_both_secrets(world: World, hook: Hook) -> None:
    webhook = hook()
    assert signers(world, webhook, SECRET) == [SECRET]
    new = webhooks.rotate(webhook=webhook).secret
    assert signers(world, webhook, SECRET, new) == [new, SECRET]
    time_passes(webhook, DAY - timedelta(minutes=1))
    assert signers(world, webhook, SECRET, new) == [new, SECRET]
    time_passes(webhook, timedelta(minutes=1))
    assert signers(world, webhook, SECRET, new) == [new]
    assert AccountEvent.objects.get().what == f"changed the secret of webhook {webhook.pk}"


def test_a_secret_that_is_changed_twice_is_worth_nothing(world: World, hook: Hook) -> None:
    webhook = hook()
    second, third = (webhooks.rotate(webhook=webhook).secret for _ in range(2))
    assert signers(world, webhook, SECRET, second, third) == [third, second]


def test_a_secret_that_signs_no_more_is_not_kept(world: World, hook: Hook) -> None:
    webhook, other = hook(), hook()
    for each in (webhook, other):
        webhooks.rotate(webhook=each)
    time_passes(webhook, DAY)
    outbox.forget()
    webhook.refresh_from_db()
    other.refresh_from_db()
    assert (webhook.old_secret, webhook.old_secret_until) == (None, None)
    assert unseal(other.sealed_secrets[1]) == SECRET


def test_the_new_secret_is_shown_once_on_the_page_with_how_long_both_are_good(
    researcher: Client, hook: Hook
) -> None:
    webhook = hook()
    here = f"/account/webhooks/{webhook.pk}/"
    answer = researcher.post(f"{here}rotate/")
    assert answer["Cache-Control"] == "private, no-store"
    shown = re.search(r'id="secret">(whsec_[^<]+)<', answer.content.decode())
    assert shown is not None
    webhook.refresh_from_db()
    assert [unseal(sealed) for sealed in webhook.sealed_secrets] == [shown[1], SECRET]
    page = researcher.get(here).content.decode()
    assert "with the one before, too" in page
    assert "whsec_" not in page
    assert not {shown[1], SECRET} & {str(value) for value in Webhook.objects.values_list()[0]}
