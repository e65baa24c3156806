"""Is this process up, and can it serve?"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from gas import health
from gas.remembered import Remembered
from gas.services import maintenance

PLAIN = "text/plain; charset=utf-8"

#: Seconds for which an answer is kept, so that strangers who ask cost AWS nothing.
KEPT = 5


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return _answer("ok\n")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the site can do its work, or name what fails it, and how long each part took.

    A site under maintenance is ready: it has pages to show. The second line tells.
    """
    findings = LATELY.value()
    told = [health.first_line(findings)]
    works = told == ["ok"]
    if works and (closed := maintenance.current()):
        told.append(f"maintenance: {closed.message}")
    told += map(str, findings)
    return _answer("\n".join([*told, ""]), status=200 if works else 503)


def _look() -> list[health.Finding]:
    return health.look(health.PARTS)


LATELY = Remembered("readyz", KEPT, _look)


def _answer(text: str, status: int = 200) -> HttpResponse:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, status=status, content_type=PLAIN, headers=headers)


ADDRESSES = {"/healthz": healthz, "/readyz": readyz}


def probes(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer before everything else: a load balancer asks by number, by http and without a name."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        probe = ADDRESSES.get(request.path_info)
        return probe(request) if probe else get_response(request)

    return answer
