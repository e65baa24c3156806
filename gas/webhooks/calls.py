"""What a call says, the same at each try, and making it."""

import json
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse

from gas.models import Delivery, Status, WebhookEvent
from gas.sealing import InvalidToken, unseal
from gas.webhooks import sending
from gas.webhooks.sending import Answer
from gas.webhooks.signing import signature

#: Where a job is when an event tells of it.
STATES = {
    WebhookEvent.STARTED: Status.RUNNING,
    WebhookEvent.COMPLETED: Status.COMPLETED,
    WebhookEvent.FAILED: Status.FAILED,
    WebhookEvent.CANCELLED: Status.CANCELLED,
    WebhookEvent.ARCHIVED: Status.ARCHIVED,
    WebhookEvent.RESTORED: Status.COMPLETED,
}

AGENT = "GAS-Webhook/1"


def call(delivery: Delivery, *, seconds: float) -> Answer:
    """Call the webhook of a delivery once; whatever happens is the answer."""
    webhook, body = delivery.webhook, body_of(delivery)
    try:
        secrets = [unseal(sealed) for sealed in webhook.sealed_secrets]
    except InvalidToken:
        return Answer(None, "Its secret can be read no more; please make the webhook anew.")
    headers = headers_of(delivery, secrets, timestamp=int(time.time()), body=body)
    return sending.post(webhook.url, body=body, headers=headers, seconds=seconds)


def body_of(delivery: Delivery) -> bytes:
    """Numbers, states and links; nothing of a person, a file or a variant."""
    event = WebhookEvent(delivery.event)
    told = {"type": event, "timestamp": delivery.created_at.isoformat(), "data": _about(delivery)}
    return json.dumps(told, separators=(",", ":")).encode()


def _about(delivery: Delivery) -> dict[str, Any]:
    number = delivery.job_number
    if number is None:
        return {"webhook": {"id": delivery.webhook_id}}
    links = {
        "page": settings.BASE_URL + reverse("job", args=[number]),
        "api": f"{settings.BASE_URL}/api/v1/jobs/{number}",
    }
    status = STATES[WebhookEvent(delivery.event)]
    return {"job": {"id": number, "status": status, "links": links}}


def headers_of(
    delivery: Delivery, secrets: Sequence[str], *, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers of the Standard Webhooks specification; the id is the same at each try."""
    message_id = str(delivery.message_id)
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "Connection": "close",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            signature(secret, message_id=message_id, timestamp=timestamp, body=body)
            for secret in secrets
        ),
    }
