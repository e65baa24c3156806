"""Conversations with Globus Auth, https://docs.globus.org/api/auth/reference/."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from globus_sdk import (
    AccessTokenAuthorizer,
    AuthClient,
    ConfidentialAppAuthClient,
    GlobusAPIError,
    NetworkError,
    OAuthTokenResponse,
)
from globus_sdk.transport import RequestsTransport, RetryConfig

from gas.globus.claims import Claims
from gas.globus.errors import SignInRefused

logger = logging.getLogger(__name__)

#: The resource server whose token tells about the session itself.
AUTH_SERVER = "auth.globus.org"

#: How identity providers tell of a second factor, https://refeds.org/profile/mfa and RFC 8176.
MFA_CLASS, MFA_METHOD = "https://refeds.org/profile/mfa", "mfa"


@dataclass(frozen=True)
class Grant:
    """The tokens for one resource server; `refresh_token` is None when Globus sent none."""

    resource_server: str
    scope: str
    access_token: str
    refresh_token: str | None
    expires_at: datetime


def auth_client() -> ConfidentialAppAuthClient:
    """Return the site's own client: short time-outs, and no retries of what is used up by a try."""
    return ConfidentialAppAuthClient(
        settings.GLOBUS_CLIENT_ID, settings.GLOBUS_CLIENT_SECRET, **_connection()
    )


def authorize_url(
    *, state: str, challenge: str, redirect_uri: str, second_factor: bool = False
) -> str:
    """Return where a browser goes to sign in; nothing of it comes from the browser.

    With `second_factor` Globus asks for one, and for a sign-in although somebody is signed in.
    """
    query = {
        "client_id": settings.GLOBUS_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": " ".join(settings.GLOBUS_SCOPES),
        "state": state,
        "response_type": "code",
        "access_type": "offline",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if second_factor:
        query |= {"session_required_mfa": "true", "prompt": "login"}
    return f"{settings.GLOBUS_AUTH_URL}/v2/oauth2/authorize?{urlencode(query)}"


def logout_url(*, back_to: str) -> str:
    """Return the page that ends the browser's session with Globus and links back to us."""
    query = {
        "client_id": settings.GLOBUS_CLIENT_ID,
        "redirect_uri": back_to,
        "redirect_name": "GAS",
    }
    return f"{settings.GLOBUS_AUTH_URL}/v2/web/logout?{urlencode(query)}"


def redeem(*, code: str, verifier: str, redirect_uri: str) -> tuple[Claims, list[Grant]]:
    """Turn a code into who came and what was granted, or raise `SignInRefused`."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    with _refusals(), auth_client() as client:
        response = client.oauth2_token(form)
        return _claims(response), grants(response)


def second_factor_at(*, token: str, sub: str) -> datetime | None:
    """Ask when an identity showed a second factor in the session of a token; None if it did not.

    https://docs.globus.org/api/auth/sessions/, `session_info`. Raises `SignInRefused`.
    """
    with _refusals(), auth_client() as client:
        answer = client.oauth2_token_introspect(token, include="session_info")
        session = answer.get("session_info") or {}
        shown = (session.get("authentications") or {}).get(sub) or {}
        has_shown = MFA_METHOD in (shown.get("amr") or ()) or shown.get("acr") == MFA_CLASS
        return datetime.fromtimestamp(shown["auth_time"], UTC) if has_shown else None


def grants(response: OAuthTokenResponse) -> list[Grant]:
    """Return the tokens of every resource server in an answer, `other_tokens` included."""
    return [
        Grant(
            resource_server=server,
            scope=tokens["scope"],
            access_token=tokens["access_token"],
            refresh_token=tokens["refresh_token"],
            expires_at=datetime.fromtimestamp(tokens["expires_at_seconds"], UTC),
        )
        for server, tokens in response.by_resource_server.items()
    ]


def _claims(response: OAuthTokenResponse) -> Claims:
    """Ask who the tokens are for; the answer comes from Globus itself, over our own connection."""
    bearer = AccessTokenAuthorizer(response["access_token"])
    with AuthClient(authorizer=bearer, **_connection()) as client:
        return Claims.parse(client.userinfo().data)


def _connection() -> dict[str, Any]:
    timeout = settings.GLOBUS_TIMEOUT.total_seconds()
    return {
        "base_url": settings.GLOBUS_AUTH_URL,
        "transport": RequestsTransport(verify_ssl=True, http_timeout=timeout),
        "retry_config": RetryConfig(max_retries=0),
    }


@contextmanager
def _refusals() -> Iterator[None]:
    """Say in one sentence what went wrong at Globus or on the way there."""
    try:
        yield
    except NetworkError as error:
        raise SignInRefused("Globus did not answer. Please try again in a minute.") from error
    except GlobusAPIError as error:
        logger.warning("Globus refused a sign-in with status %s", error.http_status)
        if error.http_status >= 500:
            raise SignInRefused("Globus is in trouble. Please try again in a minute.") from error
        raise SignInRefused("Globus did not accept this sign-in. Please start again.") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        logger.warning("Globus sent an answer that cannot be read: %s", type(error).__name__)
        raise SignInRefused("Globus sent an answer that cannot be read.") from error
