"""Calls of webhooks that lost their message, and those whose time is over: parts of the sweep."""

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from celeryconfig import QUEUES
from gas.models import Delivery, Webhook
from gas.models.leases import FREE
from gas.storage import queues
from tasks import stuck
from tasks.deliver import deliver

#: Webhooks, and rows that are forgotten, of one sweep; the next sweep takes the next.
MOST, MOST_FORGOTTEN = 500, 5000


def due_since(moment: Now | CombinedExpression) -> QuerySet[Webhook]:
    """Webhooks with a call due, and no worker at it: each has a message unless it was lost."""
    due = Delivery.objects.awaited().filter(webhook=OuterRef("pk"), wake_at__lte=moment)
    rested = Q(rests_until=None) | Q(rests_until__lte=moment)
    return Webhook.objects.filter(FREE, rested, Exists(due))


def stranded() -> QuerySet[Webhook]:
    """Due for long, and long without a message."""
    return due_since(stuck.QUIET).filter(stuck.UNSENT_FOR_LONG).order_by("sent_at", "pk")


def remind() -> int:
    """Send messages again, but no more than their queue has lost."""
    if not stranded().exists():
        return 0
    lost = max(0, due_since(Now()).count() - queues.depth(QUEUES["deliver"].url))
    return sum(map(_send_again, stranded()[: min(lost, MOST)]))


def _send_again(webhook: Webhook) -> bool:
    """Send unless another sweeper has done so since the row was read."""
    mine = stranded().order_by().filter(pk=webhook.pk)
    sent = Webhook.objects.filter(pk__in=mine).update(sent_at=Now())
    if sent:
        deliver.delay(webhook.pk)
    return bool(sent)


def forget() -> int:
    """Remove the rows of old calls, which are counted, and secrets that sign no more."""
    Webhook.objects.filter(old_secret_until__lte=Now()).update(
        old_secret=None, old_secret_until=None
    )
    old = Delivery.objects.filter(created_at__lt=Now() - settings.WEBHOOK_KEPT)
    numbers = list(old.order_by("created_at").values_list("pk", flat=True)[:MOST_FORGOTTEN])
    removed, _ = Delivery.objects.filter(pk__in=numbers).delete()
    return removed
