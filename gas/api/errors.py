"""How each refusal of a service, and each fault, is told to a program."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from gas import problems
from gas.billing import BillingUnavailable
from gas.filter_form import NotUnderstood
from gas.problems import Kind
from gas.results.errors import Busy, ResultsRefused
from gas.services.idempotency import KeyReused, KeySpent
from gas.services.jobs import JobRefused, NotAtHand
from gas.services.maintenance import UnderMaintenance
from gas.services.subscriptions import SubscriptionRefused
from gas.services.uploads import UploadRefused, UploadUnfinished, UploadUsed
from gas.services.webhooks import WebhookRefused
from gas.storage.errors import NotThawed, ObjectMissing, StorageUnavailable

logger = logging.getLogger(__name__)


class Problem(Exception):
    """A request that is not served, and why."""

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail or kind.usual)
        self.kind, self.detail, self.headers, self.more = kind, detail, headers, more


def wrong_parameter(name: str, detail: str) -> Problem:
    """A parameter of the address that makes no sense."""
    return _wrong([{"pointer": None, "parameter": name, "detail": detail}])


def wrong_field(pointer: str, detail: str) -> Problem:
    """A field of the body that makes no sense."""
    return _wrong([{"pointer": pointer, "parameter": None, "detail": detail}])


def _wrong(errors: Sequence[Mapping[str, str | None]]) -> Problem:
    where = errors[0]["pointer"] or errors[0]["parameter"] or "the body"
    return Problem(problems.INVALID, f"{where}: {errors[0]['detail']}", errors=list(errors))


#: Refusals whose message is a sentence for the account's owner.
SENTENCES: dict[type[Exception], Kind] = {
    JobRefused: problems.JOB_REFUSED,
    UploadRefused: problems.UPLOAD_REFUSED,
    UploadUnfinished: problems.UPLOAD_UNFINISHED,
    UploadUsed: problems.UPLOAD_USED,
    NotAtHand: problems.NO_RESULTS,
    SubscriptionRefused: problems.SUBSCRIPTION_REFUSED,
    ResultsRefused: problems.RESULTS_REFUSED,
    NotUnderstood: problems.INVALID,
    Busy: problems.BUSY,
    WebhookRefused: problems.WEBHOOK_REFUSED,
    KeyReused: problems.KEY_REUSED,
    KeySpent: problems.KEY_SPENT,
}

#: What is told by its kind alone; the message is for us.
KINDS: dict[type[Exception], Kind] = {
    Http404: problems.NOT_FOUND,
    ObjectMissing: problems.NO_RESULTS,
    NotThawed: problems.NO_RESULTS,
    RequestDataTooBig: problems.TOO_LARGE,
    SuspiciousOperation: problems.MALFORMED,
    UnreadablePostError: problems.MALFORMED,
}

#: What is away and may be back soon.
AWAY = (StorageUnavailable, BillingUnavailable, OperationalError, InterfaceError)


def told_by(api: NinjaAPI) -> None:
    """Let an API tell every failure as a problem; what is not named here is a fault, and a 500."""
    for refusal, kind in SENTENCES.items():
        api.add_exception_handler(refusal, partial(_sentence, kind=kind))
    for failure, kind in KINDS.items():
        api.add_exception_handler(failure, partial(_kind, kind=kind))
    for away in AWAY:
        api.add_exception_handler(away, _away)
    api.add_exception_handler(Problem, _problem)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(UnderMaintenance, _maintenance)


def _problem(request: HttpRequest, found: Any) -> HttpResponse:
    return problems.answer(found.kind, found.detail, headers=found.headers, **found.more)


def _sentence(request: HttpRequest, refusal: Any, *, kind: Kind) -> HttpResponse:
    return problems.answer(kind, str(refusal))


def _kind(request: HttpRequest, failure: Any, *, kind: Kind) -> HttpResponse:
    return problems.answer(kind)


def _away(request: HttpRequest, failure: Any) -> HttpResponse:
    logger.warning("a request cannot be served: %s", type(failure).__name__)
    return problems.answer(problems.UNAVAILABLE)


def _maintenance(request: HttpRequest, told: Any) -> HttpResponse:
    headers = {"Retry-After": str(told.retry_after)}
    return problems.answer(problems.MAINTENANCE, str(told), headers=headers)


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    """Ninja's own: a body that is no JSON."""
    return problems.answer(problems.MALFORMED, "The body is no JSON.")


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(request, _wrong([_field(each) for each in error.errors]))


def _field(error: Mapping[str, Any]) -> dict[str, str | None]:
    """Say where it is wrong; the value that was sent is never repeated."""
    source, *path = error["loc"]
    detail = str(error["msg"])
    if source == "body":
        steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path[1:]]
        pointer = "".join(f"/{step}" for step in steps)
        return {"pointer": pointer, "parameter": None, "detail": detail}
    return {"pointer": None, "parameter": str(path[0] if path else source), "detail": detail}
