"""The Globus tokens of an account: encrypted at rest, refreshed when used, revoked at sign-out."""

import logging
from collections.abc import Iterator

from globus_sdk import (
    GlobusAPIError,
    NetworkError,
    OAuthTokenResponse,
    RefreshTokenAuthorizer,
)

from gas.globus.auth import Grant, auth_client, grants
from gas.models import GlobusToken, User
from gas.sealing import InvalidToken, seal, unseal

logger = logging.getLogger(__name__)


def keep(*, user: User, granted: list[Grant]) -> None:
    """Store the tokens, a row per resource server; an old refresh token stays until a new comes."""
    for grant in granted:
        row = {
            "scope": grant.scope,
            "access_token": seal(grant.access_token),
            "expires_at": grant.expires_at,
        }
        if grant.refresh_token:
            row["refresh_token"] = seal(grant.refresh_token)
        GlobusToken.objects.update_or_create(
            user=user, resource_server=grant.resource_server, defaults=row
        )


def authorizer(*, user: User, resource_server: str) -> RefreshTokenAuthorizer:
    """Return what a Globus client signs its requests with; it refreshes tokens and stores them.

    `GlobusToken.DoesNotExist` when the account never granted this server. Requests raise
    `globus_sdk.AuthAPIError` when Globus takes the refresh token no more.
    """
    row = user.globus_tokens.get(resource_server=resource_server)

    def store(response: OAuthTokenResponse) -> None:
        keep(user=user, granted=grants(response))

    return RefreshTokenAuthorizer(
        unseal(row.refresh_token),
        auth_client(),
        access_token=unseal(row.access_token),
        expires_at=int(row.expires_at.timestamp()),
        on_refresh=store,
    )


def forget(*, user: User) -> None:
    """Revoke what the account holds as far as Globus answers, and delete the rows in any case."""
    rows = list(user.globus_tokens.all())
    try:
        _revoke([token for row in rows for token in _readable(row)])
    finally:
        user.globus_tokens.filter(pk__in=[row.pk for row in rows]).delete()


def _revoke(tokens: list[str]) -> None:
    with auth_client() as client:
        for token in tokens:
            try:
                client.oauth2_revoke_token(token)
            except GlobusAPIError as error:
                logger.warning("Globus did not revoke a token: status %s", error.http_status)
            except NetworkError as error:
                logger.warning("Globus cannot be reached to revoke tokens: %s", error)
                return


def _readable(row: GlobusToken) -> Iterator[str]:
    """Yield the row's tokens, the refresh token first; none when the site's key has changed."""
    try:
        yield from (unseal(each) for each in (row.refresh_token, row.access_token) if each)
    except InvalidToken:
        logger.warning("The tokens of account %s were sealed with another key", row.user_id)
