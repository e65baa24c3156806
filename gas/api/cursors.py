"""Cursors: where a list goes on, sealed together with the question that it answers."""

import hashlib

from django.core import signing

from gas.api.errors import wrong_parameter

_signer = signing.Signer(salt="gas.api.cursors")


def sealed(question: str, place: int | None) -> str | None:
    """Return the cursor behind a row of the answer; None where there is nothing more."""
    return None if place is None else _signer.sign_object([_digest(question), place])


def opened(question: str, cursor: str | None) -> int | None:
    """Return the row that a cursor names; raises Problem for one that is not of this question."""
    if not cursor:
        return None
    try:
        digest, place = _signer.unsign_object(cursor)
    except signing.BadSignature:
        raise wrong_parameter("cursor", "This is no cursor that was given here.") from None
    if digest != _digest(question):
        raise wrong_parameter("cursor", "This cursor belongs to a list with other filters.")
    return int(place)


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode(errors="surrogatepass")).hexdigest()[:16]
