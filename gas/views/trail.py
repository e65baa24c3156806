"""Each request has an id: in every line of the log that it causes, and in its answer."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gas import metrics
from gas.logs import context

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: The first middleware of all, so that every answer of a page has its id.
HEADER = "X-Request-ID"
#: What stands in place of the pattern of an address that does not exist.
NOWHERE = "(none)"

#: Classes of addresses by how their patterns begin; all others are pages for people.
AREAS = {"admin/": "staff", "api/": "api", "billing/webhook/": "webhook", NOWHERE: "nowhere"}


class Trail:
    """Gives each request its id, and tells of it in one line when it has been answered.

    The id is of our own making: what a client sends under that name is only written down beside it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(settings.STATIC_URL):
            return self._get_response(request)
        sent = request.headers
        outer = context.outer_reference(sent.get(HEADER, ""), sent.get("traceparent", ""))
        with context.about(correlation=context.new(), outer=outer, method=_method(request)):
            began = time.perf_counter()
            response = self._get_response(request)
            response.headers[HEADER] = context.correlation()
            _tell(request, response, time.perf_counter() - began)
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, names: Mapping[str, Any]
    ) -> None:
        """Name what the request is about, as soon as that is known."""
        context.bind(route=route_of(request), job=names.get("job_id"))


class Asker:
    """Names who asks, once that is known; the last middleware to see a view before it runs."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Write down the number of the account, if somebody before had to find it out."""
        asker = getattr(request, "_cached_user", None)  # as Django's `get_user` keeps it
        context.bind(user=asker.pk if asker else None)


def route_of(request: HttpRequest) -> str:
    """The pattern of an address: `jobs/<int:job_id>/`, never what a visitor put into it."""
    return request.resolver_match.route if request.resolver_match else NOWHERE


def _method(request: HttpRequest) -> str:
    """A method of HTTP; whatever else a client thinks of is not repeated."""
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return request.method if request.method in known else "other"


def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    route, status = route_of(request), response.status_code
    facts = {"route": route, "status": status, "seconds": round(seconds, 4)}
    logger.info("%s %s %s", _method(request), route, status, extra=facts)
    measured = {metrics.REQUESTS: 1, metrics.REQUEST_TIME: seconds}
    metrics.measure(measured, area=_area(route), status=f"{status // 100}xx")


def _area(route: str) -> str:
    """The class of an address: what has alarms of its own."""
    return next((area for start, area in AREAS.items() if route.startswith(start)), "pages")
