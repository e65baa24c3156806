"""API tokens: the page where they are made and revoked."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from gas.account_forms import LIVES, NewToken
from gas.models import Scope
from gas.services import api_tokens
from gas.services.api_tokens import Issued, TokenRefused
from gas.views.requests import SignedIn


@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: SignedIn) -> HttpResponse:
    """List the tokens, and make one; its secret is in this one answer and never again."""
    if request.method != "POST":
        return _page(request, NewToken())
    form = NewToken(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        issued = api_tokens.issue(
            user=request.user,
            name=form.cleaned_data["name"],
            scopes=[Scope(scope) for scope in form.cleaned_data["scopes"]],
            lifetime=timedelta(days=int(form.cleaned_data["days"])),
        )
    except TokenRefused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form, status=422)
    return _page(request, NewToken(), issued=issued)


def _page(
    request: SignedIn, form: NewToken, *, issued: Issued | None = None, status: int = 200
) -> HttpResponse:
    rows = request.user.api_tokens.order_by("-pk")
    now = timezone.now()
    context = {
        "form": form,
        "issued": issued,
        "tokens": [(token, token.is_living(now)) for token in rows],
        "scopes": Scope.choices,
        "lives": LIVES,
        "chosen": form["scopes"].value() or [],
    }
    return render(request, "pages/tokens.html", context, status=status)


@require_POST
def revoke_token(request: SignedIn, token_id: int) -> HttpResponse:
    """Make a token worthless."""
    token = get_object_or_404(request.user.api_tokens, pk=token_id)
    if api_tokens.revoke(user=request.user, token_id=token.pk):
        messages.success(request, "The token has been revoked.")
    return redirect("tokens")
