"""Is this process up, and can it serve?"""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

PLAIN = "text/plain; charset=utf-8"


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return HttpResponse("ok\n", content_type=PLAIN)


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the database answers, without which no page does."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type=PLAIN)
    return HttpResponse("ok\n", content_type=PLAIN)
