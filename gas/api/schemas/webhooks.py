"""Webhooks and what was delivered to them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from gas.api.schemas.base import shown, strictly
from gas.models import WebhookEvent
from gas.webhooks.addresses import LONGEST_URL

_WEBHOOK = {
    "id": 4,
    "url": "https://hooks.example.org/gas",
    "events": ["job.completed", "job.failed"],
    "state": "on",
    "disabled_reason": None,
    "failures": 0,
    "failing_since": None,
    "delivered_at": "2026-03-02T09:35:13Z",
    "created_at": "2026-03-02T09:30:00Z",
    "old_secret_until": None,
}
_DELIVERY = {
    "id": "2f6b9c1e-7a51-4d0e-9a57-0c5f2f0a1d01",
    "event": "job.completed",
    "job": 12,
    "state": "delivered",
    "tries": 1,
    "created_at": "2026-03-02T09:35:12Z",
    "tried_at": "2026-03-02T09:35:13Z",
    "next_try_at": None,
    "delivered_at": "2026-03-02T09:35:13Z",
    "answered": 204,
    "said": "",
}

#: What can be chosen: every event but a test.
Chosen = Literal[
    "job.started",
    "job.completed",
    "job.failed",
    "job.cancelled",
    "job.archived",
    "job.restored",
]


End = Literal["owed", "delivered", "given-up"]


class NewWebhook(Schema):
    """An address that is to be called."""

    model_config = strictly(
        url="https://hooks.example.org/gas", events=["job.completed", "job.failed"]
    )

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL)] = Field(
        description="A public address that begins with https, on port 443 or one from 1024 on."
    )
    events: list[Chosen] = Field(min_length=1, max_length=10, description="What it is called for.")


class Webhook(Schema):
    """An address that is called when something happens to a job."""

    model_config = shown(**_WEBHOOK)

    id: int
    url: str
    events: list[WebhookEvent]
    state: Literal["on", "paused", "switched-off"] = Field(
        description="`switched-off` by us, because it failed for long or said 410."
    )
    disabled_reason: str | None
    failures: int = Field(description="Calls in a row that failed.")
    failing_since: datetime | None
    delivered_at: datetime | None = Field(description="When a call arrived last.")
    created_at: datetime
    old_secret_until: datetime | None = Field(
        description="Until when calls bear a second signature, by the secret before the newest."
    )


class NewlyMadeWebhook(Webhook):
    """A webhook with its new secret, which is shown this once."""

    model_config = shown(**_WEBHOOK, secret="whsec_" + 42 * "A" + "E=")

    secret: str = Field(description="The key of the signatures, as Standard Webhooks writes it.")


class WebhookList(Schema):
    """The account's webhooks."""

    model_config = shown(items=[_WEBHOOK])

    items: list[Webhook]


class Delivery(Schema):
    """One call, and what came of it."""

    model_config = shown(**_DELIVERY)

    id: UUID = Field(description="The `webhook-id` of the call, the same at each try.")
    event: WebhookEvent
    job: int | None = Field(description="Number of the job, which may be deleted by now.")
    state: End
    tries: int
    created_at: datetime
    tried_at: datetime | None = Field(description="When it was tried last.")
    next_try_at: datetime | None
    delivered_at: datetime | None
    answered: int | None = Field(description="The status of the last answer, if one came.")
    said: str = Field(description="How that answer began, or why there was none.")


class DeliveryPage(Schema):
    """Calls of a webhook, newest first."""

    model_config = shown(items=[_DELIVERY], next_cursor=None)

    items: list[Delivery]
    next_cursor: str | None = Field(description="For `?cursor=`; nothing at the end of the list.")
