"""Every address below /api/v1/: none of them is for browsers that are signed in."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from gas.api.application import api
from gas.api.document import document
from gas.api.etags import validated

app_name = "api"

#: How long others may keep the document.
KEPT = "public, max-age=300"


@csrf_exempt
@login_not_required
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Give the document of the API to everybody."""
    answer = HttpResponse(document(), content_type="application/json")
    return validated(request, answer, kept=KEPT)


def _open(pattern: URLPattern) -> URLPattern:
    """Let an address be asked without a session; its own bearer guards it."""
    pattern.callback = login_not_required(pattern.callback)
    return pattern


urlpatterns = [
    path("openapi.json", openapi, name="openapi"),
    *[_open(pattern) for pattern in api.urls[0] if isinstance(pattern, URLPattern)],
]
