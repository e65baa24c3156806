"""Webhooks: made, tried, paused, deleted; and what was delivered to them."""

from typing import Annotated, Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router, Status

from gas import problems
from gas.api import cursors
from gas.api.errors import wrong_field
from gas.api.requests import ApiRequest
from gas.api.routing import serves
from gas.api.schemas import webhooks as schemas
from gas.api.schemas.base import LARGEST_ID
from gas.models import Delivery, Scope, Webhook, WebhookEvent
from gas.services import webhooks as services
from gas.services.webhooks import AddressRefused

routes = Router(tags=["webhooks"])

#: Deliveries of a page, and the most that may be asked for.
USUAL, MOST = 25, 100

WebhookId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Number of a webhook.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="The most to return.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next_cursor` of the page before.")
]

_MAY = [problems.WEBHOOK_REFUSED]


@routes.get("/webhooks", **serves(Scope.ACCOUNT, schemas.WebhookList))
def list_webhooks(request: ApiRequest) -> schemas.WebhookList:
    """List the webhooks of the account; their secrets were shown where they were made."""
    rows = request.user.webhooks.order_by("pk")
    return schemas.WebhookList(items=[schemas.Webhook(**_told(row)) for row in rows])


@routes.post(
    "/webhooks",
    **serves(Scope.ACCOUNT_WRITE, schemas.NewlyMadeWebhook, status=201, may=_MAY),
)
def create_webhook(
    request: ApiRequest, body: schemas.NewWebhook
) -> Status[schemas.NewlyMadeWebhook]:
    """Make a webhook; the answer holds its secret, which is shown this once."""
    events = [WebhookEvent(event) for event in body.events]
    try:
        issued = services.add(user=request.user, url=body.url, events=events)
    except AddressRefused as refusal:
        raise wrong_field("/url", str(refusal)) from refusal
    told = _told(issued.webhook)
    return Status(201, schemas.NewlyMadeWebhook(**told, secret=issued.secret))


@routes.get("/webhooks/{webhook_id}", **serves(Scope.ACCOUNT, schemas.Webhook))
def get_webhook(request: ApiRequest, webhook_id: WebhookId) -> schemas.Webhook:
    """Tell how a webhook is."""
    return schemas.Webhook(**_told(_own(request, webhook_id)))


@routes.delete("/webhooks/{webhook_id}", **serves(Scope.ACCOUNT_WRITE, None, status=204))
def delete_webhook(request: ApiRequest, webhook_id: WebhookId) -> Status[None]:
    """Delete a webhook with the list of its deliveries; what is owed to it is sent no more."""
    services.remove(webhook=_own(request, webhook_id))
    return Status(204, None)


@routes.post(
    "/webhooks/{webhook_id}/rotate", **serves(Scope.ACCOUNT_WRITE, schemas.NewlyMadeWebhook)
)
def rotate_webhook_secret(request: ApiRequest, webhook_id: WebhookId) -> schemas.NewlyMadeWebhook:
    """Change the secret; for 24 hours calls are signed with the new one and with the one before.

    Asked twice, the oldest of the three signs no more at once.
    """
    issued = services.rotate(webhook=_own(request, webhook_id))
    return schemas.NewlyMadeWebhook(**_told(issued.webhook), secret=issued.secret)


@routes.post("/webhooks/{webhook_id}/pause", **serves(Scope.ACCOUNT_WRITE, schemas.Webhook))
def pause_webhook(request: ApiRequest, webhook_id: WebhookId) -> schemas.Webhook:
    """Call it no more, and owe it nothing, until it is resumed."""
    found = _own(request, webhook_id)
    services.pause(webhook=found)
    return schemas.Webhook(**_told(found))


@routes.post("/webhooks/{webhook_id}/resume", **serves(Scope.ACCOUNT_WRITE, schemas.Webhook))
def resume_webhook(request: ApiRequest, webhook_id: WebhookId) -> schemas.Webhook:
    """Call it again, for what happens from now on; also one that was switched off."""
    found = _own(request, webhook_id)
    services.resume(webhook=found)
    return schemas.Webhook(**_told(found))


@routes.post(
    "/webhooks/{webhook_id}/test",
    **serves(Scope.ACCOUNT_WRITE, schemas.Delivery, status=202, may=_MAY),
)
def test_webhook(request: ApiRequest, webhook_id: WebhookId) -> Status[schemas.Delivery]:
    """Send a test, which is tried once; ask for the delivery to see what came of it."""
    delivery = services.try_out(webhook=_own(request, webhook_id))
    delivery.refresh_from_db()
    return Status(202, _delivery(delivery))


@routes.get("/webhooks/{webhook_id}/deliveries", **serves(Scope.ACCOUNT, schemas.DeliveryPage))
def list_webhook_deliveries(
    request: ApiRequest, webhook_id: WebhookId, limit: Limit = USUAL, cursor: Cursor = None
) -> schemas.DeliveryPage:
    """List the calls of a webhook, newest first, as long as they are kept."""
    question = f"deliveries of {webhook_id}"
    before = cursors.opened(question, cursor)
    rows = list(services.recent(webhook=_own(request, webhook_id), before=before)[: limit + 1])
    place = rows[limit - 1].pk if len(rows) > limit else None
    return schemas.DeliveryPage(
        items=[_delivery(row) for row in rows[:limit]],
        next_cursor=cursors.sealed(question, place),
    )


@routes.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/send",
    **serves(Scope.ACCOUNT_WRITE, schemas.Delivery, status=202, may=_MAY),
)
def resend_webhook_delivery(
    request: ApiRequest, webhook_id: WebhookId, delivery_id: UUID
) -> Status[schemas.Delivery]:
    """Send a call again, under its id of before."""
    rows = _own(request, webhook_id).deliveries.select_related("webhook")
    delivery = get_object_or_404(rows, message_id=delivery_id)
    return Status(202, _delivery(services.redeliver(delivery=delivery)))


def _own(request: ApiRequest, number: int) -> Webhook:
    return get_object_or_404(request.user.webhooks, pk=number)


def _told(row: Webhook) -> dict[str, Any]:
    state = "switched-off" if row.disabled_at else "on" if row.is_active else "paused"
    return {
        "id": row.pk,
        "url": row.url,
        "events": row.events,
        "state": state,
        "disabled_reason": row.disabled_reason or None,
        "failures": row.failures,
        "failing_since": row.failing_since,
        "delivered_at": row.delivered_at,
        "created_at": row.created_at,
        "old_secret_until": row.old_secret_until if row.is_changing else None,
    }


def _delivery(row: Delivery) -> schemas.Delivery:
    ended: schemas.End = "delivered" if row.delivered_at else "given-up"
    return schemas.Delivery(
        id=row.message_id,
        event=WebhookEvent(row.event),
        job=row.job_number,
        state="owed" if row.is_owed else ended,
        tries=row.tries,
        created_at=row.created_at,
        tried_at=row.tried_at,
        next_try_at=row.wake_at,
        delivered_at=row.delivered_at,
        answered=row.answered,
        said=row.said,
    )
