"""What the help tells those who write programs: the calls of webhooks."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from gas.models import Delivery, Webhook, WebhookEvent
from gas.services.webhooks import CHOICES
from gas.templatetags.wording import in_words
from gas.webhooks import calls
from gas.webhooks.signing import signature
from tasks.deliver import CALL_SECONDS, FACTOR, LONGEST_WAIT

#: Of the examples: no webhook has it.
SECRET = "whsec_" + 42 * "A" + "E="
_MOMENT = datetime(2026, 3, 2, 9, 35, 12, tzinfo=UTC)


def webhooks() -> dict[str, Any]:
    """What a call looks like, what it is made for, and when it is made again."""
    return {
        "example": _example(),
        "events": [(event.value, event.label) for event in CHOICES],
        "seconds": f"{CALL_SECONDS:g}",
        "waits": [in_words(wait) for wait in _waits()],
        "longest": LONGEST_WAIT,
        "kept": settings.WEBHOOK_KEPT,
        "patience": settings.WEBHOOK_PATIENCE,
    }


def _waits() -> list[Any]:
    waits = [settings.RETRY_AFTER]
    while waits[-1] * FACTOR < LONGEST_WAIT:
        waits.append(waits[-1] * FACTOR)
    return waits


def _example() -> dict[str, Any]:
    delivery = Delivery(
        webhook=Webhook(),
        event=WebhookEvent.COMPLETED,
        job_number=12,
        message_id=UUID("2f6b9c1e-7a51-4d0e-9a57-0c5f2f0a1d01"),
        created_at=_MOMENT,
    )
    body, timestamp = calls.body_of(delivery), int(_MOMENT.timestamp()) + 1
    message_id = str(delivery.message_id)
    return {
        "message_id": message_id,
        "timestamp": timestamp,
        "signature": signature(SECRET, message_id=message_id, timestamp=timestamp, body=body),
        "body": body.decode(),
    }
