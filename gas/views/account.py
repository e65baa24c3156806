"""The account: what Globus says of its owner, where they are signed in, their mails and data."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gas.account_forms import FAREWELL, ChosenMails, ChosenSignIn, Farewell
from gas.globus.claims import Claims
from gas.models import Topic, User
from gas.services import accounts, exports
from gas.views.requests import SignedIn


@require_safe
def account(request: SignedIn) -> HttpResponse:
    """Show what is known of the account, and the ways to change it."""
    user = request.user
    declined = set(user.declined_topics.values_list("topic", flat=True))
    context = {
        "claims": _claims(user),
        "topics": [(topic, topic not in declined) for topic in Topic],
        "sign_ins": accounts.sign_ins(user=user),
        "here": request.session.session_key,
    }
    return render(request, "pages/account.html", context)


def _claims(user: User) -> Claims | None:
    """What Globus said at the newest sign-in, None of accounts that staff made by hand."""
    newest = SocialAccount.objects.filter(user=user).order_by("-last_login").first()
    return Claims.revive(newest.extra_data) if newest else None


@require_POST
def choose_mails(request: SignedIn) -> HttpResponse:
    """Take the choice of mails as a whole."""
    form = ChosenMails(request.POST)
    if form.is_valid():
        wanted = [Topic(topic) for topic in form.cleaned_data["topics"]]
        accounts.choose_mails(user=request.user, wanted=wanted)
        messages.success(request, "Your choice of mails has been saved.")
    return redirect("account")


@require_POST
def end_sign_ins(request: SignedIn) -> HttpResponse:
    """Sign out one other browser, or all of them."""
    form = ChosenSignIn(request.POST)
    if form.is_valid():
        here = request.session.session_key or ""
        which = form.cleaned_data["browser"]
        ended = accounts.end_sign_ins(user=request.user, keep=here, which=which)
        messages.success(request, f"Signed out elsewhere: {ended}.")
    return redirect("account")


@require_POST
def export(request: SignedIn) -> StreamingHttpResponse:
    """Send everything that is kept about the account."""
    name = f"gas-account-{timezone.now():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    pieces = exports.export(user=request.user)
    return StreamingHttpResponse(pieces, content_type="application/zip", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: SignedIn) -> HttpResponse:
    """Say what would be deleted, and delete it once that is confirmed in words."""
    form = Farewell(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "pages/leave.html", _losses(request.user, form), status=status)
    user = request.user
    accounts.leave(user=user)
    logout(request)
    return redirect("left")


def _losses(user: User, form: Farewell) -> dict[str, Any]:
    subscribed = user.subscriptions.filter(status="active").exists()
    return {"form": form, "words": FAREWELL, "jobs": user.jobs.count(), "subscribed": subscribed}


@login_not_required
@require_safe
def left(request: HttpRequest) -> HttpResponse:
    """Say good-bye."""
    return render(request, "pages/left.html")


@csrf_exempt  # the signed address is the authority: mail programs post to it without our page
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def decline_mails(request: HttpRequest, signed: str) -> HttpResponse:
    """Show a button that declines mails like the one with the link; pressing it does (RFC 8058)."""
    found = accounts.declining(signed=signed)
    if found is None:
        raise Http404
    user, topic = found
    if request.method == "POST":
        accounts.decline(user=user, topic=topic)
    context = {"topic": topic, "is_done": request.method == "POST"}
    return render(request, "pages/decline_mails.html", context)
