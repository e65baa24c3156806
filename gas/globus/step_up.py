"""The second factor: who opens the staff pages has shown it at Globus, and not long ago."""

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from gas.globus import auth
from gas.globus.auth import Grant
from gas.globus.claims import Claims

_PROVEN_AT = "proven_at"

#: Paths whose visitors are asked for it on their way in.
STAFF_PAGES = "/admin/"

NOT_SHOWN = "Globus did not confirm a second factor, so the staff pages stay closed."


def is_wanted(path: str | None) -> bool:
    """Whether the page that somebody came for asks for a second factor."""
    return bool(path) and str(path).startswith(STAFF_PAGES)


def is_shown(claims: Claims, granted: list[Grant]) -> bool:
    """Ask Globus whether this identity showed a second factor just now.

    The answer comes over our own connection: what we asked for may have been taken out of the
    browser's address.
    """
    if not settings.STAFF_MFA:
        return True  # prompt=login was asked for; that is all there is to ask
    tokens = [each.access_token for each in granted if each.resource_server == auth.AUTH_SERVER]
    shown_at = auth.second_factor_at(token=tokens[0], sub=claims.sub) if tokens else None
    return shown_at is not None and timezone.now() - shown_at < settings.STAFF_SESSION


def remember(request: HttpRequest) -> None:
    """Open the staff pages to this session for a while."""
    request.session[_PROVEN_AT] = timezone.now().timestamp()


def is_recent(request: HttpRequest) -> bool:
    """Whether this session showed it not too long ago."""
    proven_at = request.session.get(_PROVEN_AT)
    if not isinstance(proven_at, int | float):
        return False
    return timezone.now() - datetime.fromtimestamp(proven_at, UTC) < settings.STAFF_SESSION
