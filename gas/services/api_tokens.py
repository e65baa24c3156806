"""Tokens by which programs reach an account: made, shown once, looked up by digest, revoked."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from gas.models import AccountEvent, ApiToken, Scope, User

PREFIX = "gas_"
LONGEST_LIFE = timedelta(days=365)
MOST_LIVING = 20
LONGEST_NAME = 100

#: How exactly a token's last use is known; not each request writes a row.
USE_STEP = timedelta(minutes=1)


class TokenRefused(Exception):
    """The token cannot be made; the message is one sentence for the account's owner."""


@dataclass(frozen=True)
class Issued:
    """A new token and its secret, which exists nowhere else."""

    token: ApiToken
    secret: str


def issue(*, user: User, name: str, scopes: Collection[Scope], lifetime: timedelta) -> Issued:
    """Make a token; TokenRefused without a name or scope, or beyond what one account may have."""
    _refuse_nonsense(name, scopes, lifetime)
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if user.api_tokens.living().count() >= MOST_LIVING:
            raise TokenRefused(f"You have {MOST_LIVING} tokens; please revoke one first.")
        token = user.api_tokens.create(
            name=name,
            digest=_digest(secret),
            scopes=sorted(scopes),
            expires_at=timezone.now() + lifetime,
        )
        _write_down(user, f"made API token {token.pk}: {', '.join(token.scopes)}")
    return Issued(token, secret)


def revoke(*, user: User, token_id: int, by: str = "owner", why: str = "") -> bool:
    """Make a token of an account worthless; False when there is no such living token."""
    with transaction.atomic():
        mine = user.api_tokens.filter(pk=token_id, revoked_at=None)
        revoked = mine.update(revoked_at=Now()) == 1
        if revoked:
            _write_down(user, f"revoked API token {token_id}{why and f': {why}'}", by)
    return revoked


def bearer(*, secret: str) -> ApiToken | None:
    """The living token of this secret, its use noted; None for every other string.

    It is found by the digest of 256 random bits, so how long that takes tells nothing.
    """
    living = ApiToken.objects.living().filter(digest=_digest(secret))
    token = living.select_related("user__plan").first()
    if token and (token.used_at is None or token.used_at < timezone.now() - USE_STEP):
        ApiToken.objects.filter(pk=token.pk).update(used_at=Now())
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def _refuse_nonsense(name: str, scopes: Collection[Scope], lifetime: timedelta) -> None:
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise TokenRefused(
            f"Please give the token a name of at most {LONGEST_NAME} letters that can be shown."
        )
    if not scopes:
        raise TokenRefused("Please choose what the token may do.")
    if not timedelta(0) < lifetime <= LONGEST_LIFE:
        raise TokenRefused("A token lives a year at most.")


def _write_down(user: User, what: str, actor: str = "owner") -> None:
    AccountEvent.objects.create(account=user, actor=actor, what=what)
