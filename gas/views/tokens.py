"""API tokens: the page where they are made and revoked, and the address that tries them out."""

from dataclasses import asdict
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gas.account_forms import LIVES, NewToken
from gas.models import ApiToken, Scope
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


@login_not_required
@require_safe
def api_account(request: HttpRequest) -> HttpResponse:
    """Tell the bearer of a token which account it opens, what it may do there, and the limits."""
    token = _bearer(request)
    if token is None:
        return _problem(401, "A living API token is needed.")
    if Scope.ACCOUNT not in token.scopes:
        return _problem(403, f"The token lacks the scope {Scope.ACCOUNT}.")
    return JsonResponse(
        {
            "account": token.user.username,
            "plan": token.user.plan_id,
            "limits": asdict(token.user.limits),
            "token": {"scopes": token.scopes, "expires_at": token.expires_at},
        }
    )


def _bearer(request: HttpRequest) -> ApiToken | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return api_tokens.bearer(secret=secret.strip()) if scheme.lower() == "bearer" else None


def _problem(status: int, detail: str) -> HttpResponse:
    """Answer with problem details (RFC 9457)."""
    body = {"type": "about:blank", "status": status, "detail": detail}
    answer = JsonResponse(body, status=status, content_type="application/problem+json")
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="GAS"'
    return answer
