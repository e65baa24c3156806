"""What holds for every page: nobody keeps copies of it, and no failure is a blank page."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from gas.billing import BillingUnavailable
from gas.services.maintenance import UnderMaintenance
from gas.storage.errors import StorageUnavailable
from gas.views import errors

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def private_pages(get_response: GetResponse) -> GetResponse:
    """Keep pages out of shared caches, and off the disk of a shared computer."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return answer


class ErrorPages:
    """Gives a page to refusals without one, and to outside services that do not answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        status = response.status_code
        if (
            isinstance(response, HttpResponse)
            and not response.content
            and status in errors.SENTENCES
        ):
            shown = errors.page(request, status)
            response.content, response.headers["Content-Type"] = shown.content, "text/html"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say that nothing is taken, or S3 or payments are away; everything else is a fault."""
        if isinstance(exception, UnderMaintenance):
            return errors.closed(request, exception)
        if not isinstance(exception, StorageUnavailable | BillingUnavailable):
            return None
        logger.warning("a page cannot be served: %s", exception)
        response = errors.page(request, 503)
        response.headers["Retry-After"] = "60"
        return response
