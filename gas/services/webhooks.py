"""Webhooks: made with a secret that is shown once, paused, tried out, and called again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from gas.models import AccountEvent, Delivery, User, Webhook, WebhookEvent
from gas.sealing import seal
from gas.webhooks import addresses, signing
from tasks import deliver

__all__ = [
    "Issued",
    "WebhookRefused",
    "add",
    "pause",
    "redeliver",
    "remove",
    "resume",
    "rotate",
    "try_out",
]

MOST = 5

#: How long the secret before a new one signs too.
OVERLAP = timedelta(hours=24)

#: What can be chosen; a test comes when it is asked for.
CHOICES = [event for event in WebhookEvent if event is not WebhookEvent.TEST]

#: The module of the task, which hears of calls that are owed: whoever asks these verbs has it.
TASK = deliver.deliver.name


class WebhookRefused(Exception):
    """It cannot be done; the message is one sentence for the account's owner."""


class AddressRefused(WebhookRefused):
    """Nothing is ever sent to such an address."""


@dataclass(frozen=True)
class Issued:
    """A webhook and its new secret, which is shown this once."""

    webhook: Webhook
    secret: str


def add(*, user: User, url: str, events: Collection[WebhookEvent]) -> Issued:
    """Make a webhook; AddressRefused where nothing is sent, WebhookRefused beyond five."""
    if not events or set(events) - set(CHOICES):
        raise WebhookRefused("Please choose what the webhook is called for.")
    try:
        addresses.target_of(url)
    except addresses.BadAddress as refusal:
        raise AddressRefused(str(refusal)) from refusal
    secret = signing.new_secret()
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if user.webhooks.count() >= MOST:
            raise WebhookRefused(f"You have {MOST} webhooks; please delete one first.")
        webhook = user.webhooks.create(
            url=url, secret=seal(secret), events=[event for event in CHOICES if event in events]
        )
        _write_down(webhook, "made")
    webhook.refresh_from_db()
    return Issued(webhook, secret)


def rotate(*, webhook: Webhook) -> Issued:
    """Give it a new secret; for a day the one before signs beside it, and none that is older."""
    secret = signing.new_secret()
    with transaction.atomic():
        before = Webhook.objects.select_for_update().get(pk=webhook.pk).secret
        _mine(webhook).update(
            secret=seal(secret), old_secret=before, old_secret_until=Now() + OVERLAP
        )
        _write_down(webhook, "changed the secret of")
    webhook.refresh_from_db()
    return Issued(webhook, secret)


def pause(*, webhook: Webhook) -> None:
    """Call it no more, and owe it nothing, until it is resumed."""
    with transaction.atomic():
        if _mine(webhook).filter(is_active=True).update(is_active=False):
            webhook.deliveries.owed().update(wake_at=None)
            _write_down(webhook, "paused")
    webhook.refresh_from_db()


def resume(*, webhook: Webhook) -> None:
    """Call it again, for what happens from now on; also when we had switched it off."""
    with transaction.atomic():
        resumed = _mine(webhook).update(
            is_active=True,
            disabled_at=None,
            disabled_reason="",
            failures=0,
            failing_since=None,
            rests_until=None,
        )
        if resumed and not webhook.is_on:
            _write_down(webhook, "resumed")
    webhook.refresh_from_db()


def remove(*, webhook: Webhook) -> None:
    """Delete it with the list of its deliveries; what is owed to it is sent no more."""
    with transaction.atomic():
        _mine(webhook).select_for_update().first()  # before its deliveries, as by a call that ends
        _write_down(webhook, "deleted")
        webhook.delete()


def try_out(*, webhook: Webhook) -> Delivery:
    """Owe it a test; WebhookRefused while it is off, or another test is on its way."""
    with transaction.atomic():
        held = _held(webhook)
        if held.deliveries.owed().filter(event=WebhookEvent.TEST).exists():
            raise WebhookRefused("A test is on its way.")
        return held.owe(WebhookEvent.TEST)


def redeliver(*, delivery: Delivery) -> Delivery:
    """Send one again under the same id; WebhookRefused while it is owed, or the webhook off."""
    with transaction.atomic():
        held = _held(delivery.webhook)
        ended = Delivery.objects.filter(pk=delivery.pk, wake_at=None)
        if not ended.update(wake_at=Now()):
            raise WebhookRefused("It is on its way.")
        Webhook.objects.filter(pk=held.pk).update(rests_until=None)
        held.call_after_commit()
    delivery.refresh_from_db()
    return delivery


def recent(*, webhook: Webhook, before: int | None = None) -> QuerySet[Delivery]:
    """Its deliveries, newest first; those that are older than one when that is named."""
    rows = webhook.deliveries.order_by("-pk")
    return rows if before is None else rows.filter(pk__lt=before)


def _mine(webhook: Webhook) -> QuerySet[Webhook]:
    return Webhook.objects.filter(pk=webhook.pk)


def _held(webhook: Webhook) -> Webhook:
    """The webhook under a lock; WebhookRefused unless it is called at all."""
    held = Webhook.objects.on().select_for_update(of=("self",)).filter(pk=webhook.pk).first()
    if held is None:
        raise WebhookRefused("The webhook is off; please resume it first.")
    return held


def _write_down(webhook: Webhook, what: str) -> None:
    AccountEvent.objects.create(
        account_id=webhook.owner_id, actor="owner", what=f"{what} webhook {webhook.pk}"
    )
