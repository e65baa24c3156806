"""deliver: call one webhook for what it is owed, in seconds, and then let others have their turn.

One worker at a time calls for one owner, for so long at most, and a receiver that fails rests: who
is slow delays nobody else.
"""

import logging
import time
from datetime import timedelta
from typing import Any

from celery import Task
from celery.exceptions import Ignore
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.dispatch import receiver
from django.template.defaultfilters import pluralize
from django.utils import timezone
from kombu.exceptions import OperationalError

from celeryconfig import LEASE
from gas.models import Delivery, OwnerBusy, Webhook, WebhookEvent, calls_owed
from gas.patience import wait_after
from gas.webhooks import calls
from gas.webhooks.sending import Answer
from tasks.app import app
from tasks.delays import LONGEST_TIMER
from tasks.leases import EARLY, name_of

logger = logging.getLogger(__name__)

#: Seconds that one call may take in all, and after which a turn begins no other; both within LEASE.
CALL_SECONDS = min(10.0, LEASE.total_seconds() / 3)
TURN_SECONDS = min(20.0, LEASE.total_seconds() / 3)
#: Seconds until a message tries again whose owner's other webhook is being called.
BUSY_SECONDS = 5

#: How long a call is tried, and the longest wait between two tries.
DAY, LONGEST_WAIT = timedelta(days=1), timedelta(hours=6)
#: How many times as long each wait is as the one before.
FACTOR = 4
#: The longest rest of a webhook that fails: when it works again, this is how late we notice.
LONGEST_REST = timedelta(seconds=LONGEST_TIMER)
#: Calls in a row that fail before a webhook is switched off for failing long.
MOST_FAILURES = 10

GONE = "Its server answered 410 Gone."


@app.task(bind=True, name="deliver")
def deliver(self: Task[Any, Any], webhook_id: int) -> None:
    """Make the calls that are due, the longest due first, until one fails or time is up."""
    worker = name_of(self.name, self.request.id)
    try:
        webhook = Webhook.objects.take(webhook_id, worker=worker, lease=LEASE, early=EARLY)
    except OwnerBusy:
        raise self.retry(countdown=BUSY_SECONDS) from None
    if webhook is None:
        raise Ignore
    until = time.monotonic() + TURN_SECONDS
    while (delivery := webhook.next_due()) and _has_arrived(delivery):
        if time.monotonic() > until:
            break
    wait = webhook.let_go()
    if wait is not None:
        raise self.retry(countdown=wait.total_seconds())


def _has_arrived(delivery: Delivery) -> bool:
    """Make one call and write down what came of it."""
    answer = calls.call(delivery, seconds=CALL_SECONDS)
    if answer.is_yes and answer.status is not None:
        delivery.record_taken(answered=answer.status, said=answer.said)
        return True
    _note_failure(delivery, answer)
    return False


def _note_failure(delivery: Delivery, answer: Answer) -> None:
    webhook = delivery.webhook
    failures = Webhook.objects.filter(pk=webhook.pk).values_list("failures", flat=True).first()
    if failures is None:
        return  # its owner has deleted it meanwhile
    delivery.record_failed(
        answered=answer.status,
        said=answer.said,
        again_in=wait_for(delivery),
        rest=min(wait_after(failures), LONGEST_REST),
    )
    logger.info("call %s of webhook %s failed: %s", delivery.pk, webhook.pk, answer.status or "-")
    if (reason := _reason_to_end(delivery, answer)) and webhook.switch_off(reason):
        logger.warning("webhook %s was switched off: %s", webhook.pk, reason)
        app.send_task("notify")


def wait_for(delivery: Delivery) -> timedelta | None:
    """Until the next try: longer each time, over a day; None when it is given up."""
    left = delivery.created_at + DAY - timezone.now()
    if delivery.event == WebhookEvent.TEST or left <= timedelta(0):
        return None
    longer: timedelta = settings.RETRY_AFTER * FACTOR ** min(delivery.tries, 10)
    return min(longer, LONGEST_WAIT, left)


def _reason_to_end(delivery: Delivery, answer: Answer) -> str:
    """Why the webhook is to be called no more; empty when it is."""
    if answer.is_gone:
        return GONE
    long_failing = Q(failing_since__lte=Now() - settings.WEBHOOK_PATIENCE)
    is_dead = Webhook.objects.filter(
        long_failing, pk=delivery.webhook_id, failures__gte=MOST_FAILURES
    ).exists()
    days = settings.WEBHOOK_PATIENCE.days
    return f"Every call of {days} day{pluralize(days)} has failed." if is_dead else ""


@receiver(calls_owed)
def send_for(webhook_id: int, **_: Any) -> None:
    """Send the message of a webhook that is owed something, unless one is on its way or it rests.

    A message that SQS does not take now is sent by the sweeper.
    """
    rested = Q(rests_until=None) | Q(rests_until__lte=Now())
    silent = Webhook.objects.on().filter(rested, pk=webhook_id, sent_at=None)
    if silent.update(sent_at=Now()):
        try:
            deliver.delay(webhook_id)
        except OperationalError as error:
            logger.warning("webhook %s has to wait: %s", webhook_id, error)
