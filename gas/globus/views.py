"""The way in and the way out."""

import logging
from typing import Any, cast

from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import messages
from django.contrib.auth import logout as end_session
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from gas.globus import auth, checks, sessions, step_up, tokens
from gas.globus.auth import Grant
from gas.globus.claims import Claims
from gas.globus.errors import SignInRefused
from gas.globus.provider import GlobusProvider
from gas.models import User

logger = logging.getLogger(__name__)


@never_cache
@login_not_required
@require_safe
def login(request: HttpRequest) -> HttpResponse:
    """Show the sign-in page; who is signed in has no business here."""
    if request.user.is_authenticated:
        return redirect("jobs")
    return render(request, "pages/login.html")


@never_cache
@login_not_required
@require_POST
def globus_login(request: HttpRequest) -> HttpResponse:
    """Send the browser to Globus."""
    if not checks.is_usable():
        return _refuse(request, "Sign-in is not set up on this site yet.")
    wanted = request.POST.get("next") or request.GET.get("next")
    return GlobusProvider(request).redirect(request, AuthProcess.LOGIN, local_path(wanted))


@never_cache
@login_not_required
@require_GET
def globus_callback(request: HttpRequest) -> HttpResponse:
    """Take the browser back from Globus and sign in, or say why not."""
    try:
        return _sign_in(request)
    except SignInRefused as refusal:
        return _refuse(request, str(refusal))


@login_not_required
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session here, revoke the account's tokens, and end the session at Globus."""
    user = request.user
    end_session(request)
    if user.is_authenticated:
        tokens.forget(user=user)
    return redirect(auth.logout_url(back_to=request.build_absolute_uri("/")))


@login_not_required
@require_safe
def admin_login(request: HttpRequest) -> HttpResponse:
    """Stand in front of the admin's own password form: staff come in through Globus as well.

    Who is signed in, but without a second factor, is asked for it.
    """
    wanted = local_path(request.GET.get("next")) or reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(wanted)
    if not request.user.is_staff:
        raise PermissionDenied
    return render(request, "pages/staff_door.html", {"wanted": wanted})


def local_path(url: str | None) -> str | None:
    """Return the address when it is a path of this site, else None."""
    is_path = url and url.startswith("/") and url_has_allowed_host_and_scheme(url, None)
    return url if is_path else None


def _sign_in(request: HttpRequest) -> HttpResponse:
    provider = GlobusProvider(request)
    state = _state(request, provider)
    if request.GET.get("error") == "access_denied":
        raise SignInRefused("You did not allow GAS to know you, so you are not signed in.")
    claims, granted = auth.redeem(
        code=request.GET.get("code", ""),
        verifier=state["verifier"],
        redirect_uri=provider.callback_url(request),
    )
    sociallogin = provider.sociallogin_from_response(request, claims)
    sociallogin.state = state
    response: HttpResponse = complete_social_login(request, sociallogin)
    user = cast(User, sociallogin.user)
    tokens.keep(user=user, granted=granted)
    sessions.note(request, user)
    if state.get("second_factor"):
        _step_up(request, claims, granted)
    return response


def _step_up(request: HttpRequest, claims: Claims, granted: list[Grant]) -> None:
    """Open the staff pages to whoever showed a second factor; the others are signed in without."""
    if step_up.is_shown(claims, granted):
        step_up.remember(request)
    else:
        messages.warning(request, step_up.NOT_SHOWN)


def _state(request: HttpRequest, provider: GlobusProvider) -> dict[str, Any]:
    """Take what was remembered for this journey out of the session; it serves once."""
    try:
        state: dict[str, Any] = provider.unstash_redirect_state(request, request.GET.get("state"))
    except PermissionDenied as error:
        raise SignInRefused("This sign-in has expired. Please start again.") from error
    return state


def _refuse(request: HttpRequest, sentence: str) -> HttpResponse:
    logger.info("Sign-in refused: %s", sentence)
    messages.warning(request, sentence)
    return redirect("login")
