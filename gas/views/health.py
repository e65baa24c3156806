"""Is this process up, and can it serve?"""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from gas import health
from gas.services import maintenance

PLAIN = "text/plain; charset=utf-8"

#: Seconds for which an answer is kept, so that strangers who ask cost AWS nothing.
KEPT = 5


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return HttpResponse("ok\n", content_type=PLAIN)


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the site can do its work, or name what fails it: database, queue, storage.

    A site under maintenance is ready: it has pages to show. The second line tells.
    """
    failing = cache.get_or_set("readyz", health.failing_parts, KEPT)
    if failing:
        return HttpResponse(f"failing: {', '.join(failing)}\n", status=503, content_type=PLAIN)
    closed = maintenance.current()
    told = f"maintenance: {closed.message}\n" if closed else ""
    return HttpResponse(f"ok\n{told}", content_type=PLAIN)
