"""A change of keys: what is kept encrypted is encrypted anew, so that old keys may go."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from gas.models import GlobusToken, Webhook
from gas.sealing import InvalidToken, reseal


@dataclass(frozen=True)
class Resealed:
    """How many values the newest key seals now, and how many no key opens."""

    anew: int
    lost: int


def sealed() -> list[tuple[QuerySet[Any], str]]:
    """Every column that holds something encrypted with `TOKEN_KEYS`."""
    return [
        (GlobusToken.objects.all(), "access_token"),
        (GlobusToken.objects.all(), "refresh_token"),
        (Webhook.objects.all(), "secret"),
        (Webhook.objects.exclude(old_secret=None), "old_secret"),
    ]


def reseal_all() -> Resealed:
    """Encrypt everything anew with the newest key; what changes meanwhile is the newest already."""
    done = [each for rows, column in sealed() for each in _resealed(rows, column)]
    return Resealed(anew=done.count(True), lost=done.count(False))


def _resealed(rows: QuerySet[Any], column: str) -> Iterator[bool]:
    for number, before in rows.values_list("pk", column).iterator():
        if not bytes(before):
            continue
        try:
            after = reseal(before)
        except InvalidToken:
            yield False
            continue
        rows.filter(pk=number, **{column: bytes(before)}).update(**{column: after})
        yield True
