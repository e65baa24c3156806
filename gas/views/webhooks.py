"""The pages of webhooks: where they are made, and what became of their calls."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gas.account_forms import NewWebhook, Place
from gas.models import Delivery, Webhook, WebhookEvent
from gas.services import webhooks as services
from gas.services.webhooks import Issued, WebhookRefused
from gas.views.requests import SignedIn

#: Calls on one page.
PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: SignedIn) -> HttpResponse:
    """List the webhooks, and make one; its secret is in this one answer and never again."""
    if request.method != "POST":
        return _page(request, NewWebhook(initial={"events": services.CHOICES}))
    form = NewWebhook(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        issued = services.add(
            user=request.user,
            url=form.cleaned_data["url"],
            events=[WebhookEvent(event) for event in form.cleaned_data["events"]],
        )
    except WebhookRefused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form, status=422)
    return _page(request, NewWebhook(initial={"events": services.CHOICES}), issued=issued)


def _page(
    request: SignedIn, form: NewWebhook, *, issued: Issued | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "issued": issued,
        "webhooks": request.user.webhooks.order_by("pk"),
        "events": [(event.value, event.label) for event in services.CHOICES],
        "chosen": form["events"].value() or [],
        "most": services.MOST,
    }
    return render(request, "pages/webhooks.html", context, status=status)


@require_safe
def webhook(request: SignedIn, webhook_id: int) -> HttpResponse:
    """Show one webhook and its calls, newest first."""
    return _one(request, _own(request, webhook_id))


@require_POST
def rotate_webhook(request: SignedIn, webhook_id: int) -> HttpResponse:
    """Give a webhook a new secret, which is in this one answer and never again."""
    issued = services.rotate(webhook=_own(request, webhook_id))
    return _one(request, issued.webhook, secret=issued.secret)


def _one(request: SignedIn, found: Webhook, *, secret: str = "") -> HttpResponse:
    form = Place(request.GET)
    before = form.cleaned_data["before"] if form.is_valid() else None
    rows = list(services.recent(webhook=found, before=before)[: PAGE + 1])
    labels = dict(WebhookEvent.choices)
    context = {
        "webhook": found,
        "secret": secret,
        "events": [(event, labels[event]) for event in found.events],
        "deliveries": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "is_first": before is None,
    }
    return render(request, "pages/webhook.html", context)


def _own(request: SignedIn, webhook_id: int) -> Webhook:
    return get_object_or_404(request.user.webhooks, pk=webhook_id)


def _changing(change: Callable[[Webhook], object], done: str) -> Callable[..., HttpResponse]:
    """A view that does one thing to a webhook of one's own, and says so on its page."""

    @require_POST
    def view(request: SignedIn, webhook_id: int) -> HttpResponse:
        try:
            change(_own(request, webhook_id))
        except WebhookRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done)
        return redirect("webhook", webhook_id)

    return view


pause_webhook = _changing(lambda one: services.pause(webhook=one), "The webhook is paused.")
resume_webhook = _changing(lambda one: services.resume(webhook=one), "The webhook is on.")
test_webhook = _changing(lambda one: services.try_out(webhook=one), "A test is on its way.")


@require_POST
def delete_webhook(request: SignedIn, webhook_id: int) -> HttpResponse:
    """Delete a webhook."""
    services.remove(webhook=_own(request, webhook_id))
    messages.success(request, "The webhook has been deleted.")
    return redirect("webhooks")


@require_POST
def redeliver(request: SignedIn, message_id: str) -> HttpResponse:
    """Send a call again."""
    mine = Delivery.objects.filter(webhook__owner=request.user).select_related("webhook")
    delivery = get_object_or_404(mine, message_id=message_id)
    try:
        services.redeliver(delivery=delivery)
        messages.success(request, "It is on its way again.")
    except WebhookRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("webhook", delivery.webhook_id)
