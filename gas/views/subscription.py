"""Plans: which one an account is on, and the way to the payment provider and back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from gas.billing import EventRefused
from gas.models import Plan, Subscription
from gas.services import holdings, subscriptions
from gas.services.subscriptions import SubscriptionRefused
from gas.views.public import plans
from gas.views.requests import SignedIn

ACTIVE = Subscription.Status.ACTIVE


@require_safe
def subscription(request: SignedIn) -> HttpResponse:
    """Show the plan; what a returning browser claims decides nothing, only the plan does."""
    user = request.user
    offered = plans()
    bought = list(user.subscriptions.order_by("-started_at"))
    context = {
        **offered,
        **vars(holdings.of(user)),
        "plan": offered.get(str(user.plan_id)) or user.plan,
        "subscription": bought[0] if bought else None,
        "grant": user.grants.filter(ended_at=None).first(),
        "active": next((each for each in bought if each.status == ACTIVE), None),
        "waiting": request.GET.get("returned") == "paid" and user.plan_id != Plan.PREMIUM,
        "arrived": request.GET.get("returned") == "paid" and user.plan_id == Plan.PREMIUM,
        "given_up": request.GET.get("returned") == "cancelled",
    }
    return render(request, "pages/subscription.html", context)


@require_POST
def checkout(request: SignedIn) -> HttpResponse:
    """Send the browser to where it pays."""
    page = request.build_absolute_uri(reverse("subscription"))
    try:
        address = subscriptions.checkout(
            user=request.user,
            success_url=f"{page}?returned=paid",
            cancel_url=f"{page}?returned=cancelled",
        )
    except SubscriptionRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("subscription")
    return redirect(address)


@require_POST
def portal(request: SignedIn) -> HttpResponse:
    """Send the browser to where it sees invoices and cancels."""
    page = request.build_absolute_uri(reverse("subscription"))
    try:
        return redirect(subscriptions.portal(user=request.user, return_url=page))
    except SubscriptionRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("subscription")


@csrf_exempt
@login_not_required
@require_POST
def billing_webhook(request: HttpRequest) -> HttpResponse:
    """Take an event of the payment provider; its signature is all that is believed.

    When the provider cannot be asked what it means the answer is 503, and the event comes again.
    """
    try:
        subscriptions.receive_event(
            payload=request.body, signature=request.headers.get("Stripe-Signature", "")
        )
    except EventRefused:
        return HttpResponse("refused\n", status=400, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
