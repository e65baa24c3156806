"""What holds for every answer below /api/, whichever part of the site gave it."""

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from gas import problems
from gas.models import Taken

GetResponse = Callable[[HttpRequest], HttpResponseBase]

PREFIX = "/api/"


def told_to_programs(get_response: GetResponse) -> GetResponse:
    """Tell every error as a problem, and what is left of an allowance; outside all others."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.path_info.startswith(PREFIX):
            return response
        if response.status_code >= 400 and isinstance(response, HttpResponse):
            _tell(response)
        taken: Taken | None = vars(request).get("taken")
        if taken:
            response.headers["RateLimit-Limit"] = str(taken.limit)
            response.headers["RateLimit-Remaining"] = str(taken.remaining)
            response.headers["RateLimit-Reset"] = str(taken.reset)
        return response

    return answer


def _tell(response: HttpResponse) -> None:
    """Give a problem to an error that has a page, or nothing; its headers stay."""
    if response.headers.get("Content-Type") == problems.MEDIA_TYPE:
        return
    response.content = json.dumps(problems.of_status(response.status_code)).encode()
    response.headers["Content-Type"] = problems.MEDIA_TYPE
    response.headers["Content-Length"] = str(len(response.content))
    response.cookies.clear()
