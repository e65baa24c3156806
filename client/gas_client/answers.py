"""What the service and the storage say, as documents or as errors of ours.

Problem details: https://www.rfc-editor.org/rfc/rfc9457
"""

import re
from typing import Any

import httpx

from gas_client.errors import (
    GasError,
    Limited,
    NotSignedIn,
    NotThere,
    Refused,
    Unavailable,
)
from gas_client.patience import seconds_of

#: Letters of a sentence from outside that are shown.
LONGEST = 500
#: Answers after which the same request may go better.
LATER = frozenset({408, 425, 500, 502, 503, 504})
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")


def document_of(answer: httpx.Response) -> Any:
    """Return the JSON of an answer, None of one without content; Unavailable for anything else."""
    if answer.status_code == 204:
        return None
    try:
        return answer.json()
    except ValueError as error:
        raise Unavailable(f"{answer.url.host} does not answer as GAS does.") from error


def refusal_of(answer: httpx.Response) -> GasError | None:
    """Return what an answer of the service refuses, in its own words; None when it is fine."""
    status = answer.status_code
    if status < 300 or status == 304:
        return None
    if status < 400:
        there = answer.headers.get("Location", "elsewhere")
        return Refused(f"{answer.url.host} sends on to {plain(there)}; sign in at that address.")
    said = sentence_of(answer)
    if status == 401:
        return NotSignedIn("The service does not take this token (any more); run: gas login")
    if status == 404:
        return NotThere(said, _kind(answer))
    if status == 429:
        return Limited(said, _asked(answer))
    return Unavailable(said, _asked(answer)) if status in LATER else Refused(said, _kind(answer))


def storage_refusal_of(answer: httpx.Response) -> GasError | None:
    """Return what an answer of the storage refuses; a new link, or some time, may help."""
    if answer.status_code < 300:
        return None
    found = _CODE.search(answer.text[:4096])
    code = found[1] if found else str(answer.status_code)
    if code == "NoSuchUpload":
        return NotThere("This upload has ended; submit the file again.")
    return Unavailable(f"The storage refuses ({code}).", _asked(answer))


def _asked(answer: httpx.Response) -> float | None:
    return seconds_of(answer.headers.get("Retry-After", ""))


def sentence_of(answer: httpx.Response) -> str:
    """Return what problem details say, or the number of the status."""
    told = _problem(answer)
    said = told.get("detail") or told.get("title")
    return plain(str(said)) if said else f"{answer.url.host} answers {answer.status_code}."


def _kind(answer: httpx.Response) -> str:
    return str(_problem(answer).get("type", "")).rpartition("#")[2]


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def plain(text: str) -> str:
    """Return a text from outside as one bounded line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST].strip()
