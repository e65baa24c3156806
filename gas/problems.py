"""Every kind of problem that the API tells of (RFC 9457), and what to do about each.

A kind's address never changes: programs tell kinds apart by it, and it leads people to the help.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import JsonResponse

from gas.logs import context

MEDIA_TYPE = "application/problem+json"

#: The page of the help on which each kind has a section.
PAGE = "/help/problems/"

#: Seconds after which to try again what was away, when nobody knows better.
RETRY_AFTER = 30


@dataclass(frozen=True)
class Kind:
    """One kind: its name in addresses, its status, its title, its usual sentence, and advice."""

    name: str
    status: HTTPStatus
    title: str
    usual: str
    advice: str

    @property
    def address(self) -> str:
        """The `type` of RFC 9457."""
        return f"{settings.BASE_URL}{PAGE}#{self.name}"


MALFORMED = Kind(
    "malformed-request",
    HTTPStatus.BAD_REQUEST,
    "The request cannot be read",
    "The request is no HTTP, or its body no JSON, that can be read.",
    "Send bodies as JSON in UTF-8, and ask for the site by the name that it goes by.",
)
UNAUTHORIZED = Kind(
    "unauthorized",
    HTTPStatus.UNAUTHORIZED,
    "A living API token is needed",
    "Send a living API token: Authorization: Bearer gas_...",
    "Make a token on the page of API tokens. One that is mistyped, revoked or over, and one of a "
    "closed account, are answered alike.",
)
MISSING_SCOPE = Kind(
    "missing-scope",
    HTTPStatus.FORBIDDEN,
    "The token may not do this",
    "The token lacks a scope.",
    "Make a token with the scope that scope names; what a token may do never changes.",
)
FORBIDDEN = Kind(
    "forbidden",
    HTTPStatus.FORBIDDEN,
    "This is not open to you",
    "This is not open to you.",
    "Nothing can be done about it with this account.",
)
NOT_FOUND = Kind(
    "not-found",
    HTTPStatus.NOT_FOUND,
    "There is nothing here",
    "There is no such address, or it is of something that does not exist or is not yours.",
    "Look the address up in the reference, and the number in the list that it came from.",
)
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "This address does not take this method",
    "This address does not take this method.",
    "The header Allow names those that it takes.",
)
JOB_REFUSED = Kind(
    "job-refused",
    HTTPStatus.CONFLICT,
    "The job cannot be made or changed",
    "The job cannot be made or changed.",
    "The sentence says what stands in the way: how the job stands now, or what the plan allows.",
)
NO_RESULTS = Kind(
    "no-results",
    HTTPStatus.CONFLICT,
    "There are no results at hand",
    "This job has no results at hand.",
    "Wait until the job is completed, or bring it back from the archive.",
)
UPLOAD_UNFINISHED = Kind(
    "upload-unfinished",
    HTTPStatus.CONFLICT,
    "The file has not arrived",
    "The file has not arrived.",
    "Send the parts that are missing, or the form, and ask again.",
)
UPLOAD_USED = Kind(
    "upload-used",
    HTTPStatus.CONFLICT,
    "A job is made of the file",
    "A job is made of the file.",
    "Delete the job, which deletes its file too.",
)
SUBSCRIPTION_REFUSED = Kind(
    "subscription-refused",
    HTTPStatus.CONFLICT,
    "Not possible for this subscription",
    "Not possible for this subscription.",
    "Look at the subscription first.",
)
WEBHOOK_REFUSED = Kind(
    "webhook-refused",
    HTTPStatus.CONFLICT,
    "Not possible for webhooks now",
    "Not possible for webhooks now.",
    "The sentence says what stands in the way: there are too many, it is off, or on its way.",
)
KEY_SPENT = Kind(
    "idempotency-key-spent",
    HTTPStatus.CONFLICT,
    "The job of this key is gone",
    "The job that this Idempotency-Key made has been deleted.",
    "Take a new key to make another job.",
)
TOO_LARGE = Kind(
    "too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The body is too large",
    "The body is larger than the API takes.",
    "Files never go through the API: make an upload, and send the bytes where it says.",
)
WRONG_MEDIA_TYPE = Kind(
    "wrong-media-type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The body is not JSON",
    "Send the body with Content-Type: application/json.",
    "Send bodies as JSON, and say so in the header Content-Type.",
)
INVALID = Kind(
    "invalid-request",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Something in the request is wrong",
    "Something in the request is wrong.",
    "errors names each field of the body, by a JSON pointer, or parameter, and what is wrong.",
)
UPLOAD_REFUSED = Kind(
    "upload-refused",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The file is refused",
    "The file is refused.",
    "The sentence says what is wrong with the file, or what the plan allows.",
)
RESULTS_REFUSED = Kind(
    "results-refused",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The table cannot answer that",
    "The table cannot answer that.",
    "Ask a narrower question, above all for a region, or download the whole file.",
)
KEY_REUSED = Kind(
    "idempotency-key-reused",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The key was sent with another request",
    "This Idempotency-Key was sent with another request before.",
    "Take a new key for each request that means something new.",
)
RATE_LIMITED = Kind(
    "rate-limited",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many requests",
    "More requests came than are allowed in a minute.",
    "Wait for the seconds of Retry-After; RateLimit-Remaining tells what is left before.",
)
SERVER_ERROR = Kind(
    "server-error",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something broke on our side",
    "Something broke on our side. It is written down for us; jobs and files are safe.",
    "Try again; if it happens again, tell those who run this server when it did.",
)
BUSY = Kind(
    "busy",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Too much is asked at once",
    "As many questions as can be answered at once are being answered.",
    "Wait for the seconds of Retry-After, and ask again.",
)
UNAVAILABLE = Kind(
    "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "A part of the service does not answer",
    "A part of the service does not answer; jobs and files are safe.",
    "Wait for the seconds of Retry-After, and send the same again.",
)
MAINTENANCE = Kind(
    "maintenance",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The service is under maintenance",
    "Nothing new is taken now; what is here can be read, and jobs go on.",
    "Wait for the seconds of Retry-After, and send the same again.",
)

KINDS = (
    *(MALFORMED, UNAUTHORIZED, MISSING_SCOPE, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED),
    *(JOB_REFUSED, NO_RESULTS, UPLOAD_UNFINISHED, UPLOAD_USED, SUBSCRIPTION_REFUSED, KEY_SPENT),
    WEBHOOK_REFUSED,
    *(TOO_LARGE, WRONG_MEDIA_TYPE, INVALID, UPLOAD_REFUSED, RESULTS_REFUSED, KEY_REUSED),
    *(RATE_LIMITED, SERVER_ERROR, BUSY, UNAVAILABLE, MAINTENANCE),
)

#: What is told of a status that came about outside the API's own code.
_BY_STATUS = {
    kind.status: kind
    for kind in (
        *(MALFORMED, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED, JOB_REFUSED),
        *(TOO_LARGE, WRONG_MEDIA_TYPE, INVALID, RATE_LIMITED, SERVER_ERROR, UNAVAILABLE),
    )
}


def body(kind: Kind, detail: str = "", **more: Any) -> dict[str, Any]:
    """Return the members of a problem."""
    return {
        "type": kind.address,
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.usual,
        **more,
    }


def of_status(status: int) -> dict[str, Any]:
    """Return the problem that a bare status tells of."""
    if kind := _BY_STATUS.get(HTTPStatus(status)):
        return body(kind) | _named()
    phrase = HTTPStatus(status).phrase
    told = {"type": "about:blank", "title": phrase, "status": status, "detail": f"{phrase}."}
    return told | _named()


def answer(
    kind: Kind, detail: str = "", *, headers: Mapping[str, str] | None = None, **more: Any
) -> JsonResponse:
    """Answer with a problem; one that passes says when to try again."""
    passing = kind.status == HTTPStatus.SERVICE_UNAVAILABLE
    told = {"Retry-After": str(RETRY_AFTER)} if passing else {}
    return JsonResponse(
        body(kind, detail, **more) | _named(),
        status=kind.status,
        content_type=MEDIA_TYPE,
        headers={**told, **(headers or {})},
    )


def _named() -> dict[str, str]:
    """The id under which our logs tell of this request."""
    correlation = context.correlation()
    return {"correlation": correlation} if correlation else {}
