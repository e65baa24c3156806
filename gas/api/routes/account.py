"""The account: its plan, its subscription, its tokens."""

from typing import Annotated

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from ninja import Path, Router, Status

from gas import problems
from gas.api.requests import ApiRequest
from gas.api.routing import ANY, serves
from gas.api.schemas import account as schemas
from gas.api.schemas.base import LARGEST_ID
from gas.models import ApiToken, Scope, Subscription, User
from gas.services import api_tokens, holdings, limits, subscriptions

routes = Router(tags=["account"])

#: Tokens that are listed: the living ones are never more than a few.
MOST = 100

TokenId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Number of a token.")]


@routes.get("/me", **serves(Scope.ACCOUNT, schemas.Me))
def get_me(request: ApiRequest) -> schemas.Me:
    """Tell whose token this is, what it may do, the limits of the plan and what is in use."""
    user, token = request.user, request.auth
    room = limits.room_of(user)
    return schemas.Me(
        account=user.username,
        plan=_plan(user),
        usage=schemas.Usage(
            active_jobs=room.active_jobs, stored_bytes=room.kept_bytes, jobs_today=room.jobs_today
        ),
        token=schemas.TokenInUse(
            id=token.pk, name=token.name, scopes=token.scopes, expires_at=token.expires_at
        ),
    )


def _plan(user: User) -> schemas.Plan:
    return schemas.Plan(
        name=str(user.plan_id),
        **vars(user.limits),
        requests_per_minute=user.plan.requests_per_minute,
        retention_seconds=round(user.retention.total_seconds()) if user.retention else None,
    )


@routes.get("/subscription", **serves(Scope.ACCOUNT, schemas.Subscription))
def get_subscription(request: ApiRequest) -> schemas.Subscription:
    """Tell what was bought last, and how many jobs are in the archive or are to go there."""
    newest = request.user.subscriptions.order_by("-started_at").first()
    return schemas.Subscription(
        plan=str(request.user.plan_id),
        status=Subscription.Status(newest.status) if newest else None,
        started_at=newest.started_at if newest else None,
        ended_at=newest.ended_at if newest else None,
        unpaid_since=newest.unpaid_since if newest else None,
        **vars(holdings.of(request.user)),
    )


@routes.post(
    "/subscription/checkout",
    **serves(Scope.ACCOUNT_WRITE, schemas.PageLink, may=[problems.SUBSCRIPTION_REFUSED]),
)
def open_checkout(request: ApiRequest) -> schemas.PageLink:
    """Give the page on which a person subscribes, in a browser."""
    page = f"{settings.BASE_URL}{reverse('subscription')}"
    address = subscriptions.checkout(
        user=request.user,
        success_url=f"{page}?returned=paid",
        cancel_url=f"{page}?returned=cancelled",
    )
    return schemas.PageLink(url=address)


@routes.post(
    "/subscription/portal",
    **serves(Scope.ACCOUNT_WRITE, schemas.PageLink, may=[problems.SUBSCRIPTION_REFUSED]),
)
def open_portal(request: ApiRequest) -> schemas.PageLink:
    """Give the page on which a person sees invoices and cancels, in a browser."""
    page = f"{settings.BASE_URL}{reverse('subscription')}"
    return schemas.PageLink(url=subscriptions.portal(user=request.user, return_url=page))


@routes.get("/tokens", **serves(Scope.ACCOUNT, schemas.TokenList))
def list_tokens(request: ApiRequest) -> schemas.TokenList:
    """List the newest tokens of the account; their secrets are kept nowhere."""
    rows = request.user.api_tokens.order_by("-pk")[:MOST]
    return schemas.TokenList(items=[_token(row) for row in rows])


def _token(row: ApiToken) -> schemas.Token:
    return schemas.Token(
        id=row.pk,
        name=row.name,
        scopes=row.scopes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
        is_living=row.is_living(timezone.now()),
    )


@routes.delete("/tokens/current", **serves(ANY, None, status=204))
def revoke_this_token(request: ApiRequest) -> Status[None]:
    """Revoke the token of this request, which any token may do with itself."""
    api_tokens.revoke(user=request.user, token_id=request.auth.pk)
    return Status(204, None)


@routes.delete("/tokens/{token_id}", **serves(Scope.ACCOUNT_WRITE, None, status=204))
def revoke_token(request: ApiRequest, token_id: TokenId) -> Status[None]:
    """Revoke a token; 404 when there is no such token, or it was revoked before."""
    if not api_tokens.revoke(user=request.user, token_id=token_id):
        raise Http404
    return Status(204, None)
