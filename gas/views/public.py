"""What everybody may read."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gas.models import Plan
from gas.services import provenance, reference

#: How long a browser stays signed in.
SESSION = timedelta(seconds=settings.SESSION_COOKIE_AGE)


def plans() -> dict[str, Any]:
    """Return the plans, as they are enforced, and how long free results stay at hand."""
    found = Plan.objects.in_bulk([Plan.FREE, Plan.PREMIUM])
    return {
        "free": found[Plan.FREE],
        "premium": found[Plan.PREMIUM],
        "retention": settings.FREE_RETENTION,
        "grace": settings.DOWNGRADE_GRACE,
    }


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what the service does."""
    return render(request, "pages/home.html", {**plans(), "reference": reference.in_use()})


@login_not_required
@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """Say what is kept of whom, for how long, and what people may ask of the service."""
    context = {**plans(), "inputs_kept": settings.INPUTS_KEPT, "session": SESSION}
    return render(request, "pages/terms.html", context)


@login_not_required
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Ask crawlers to read the public pages only."""
    closed = [reverse(name) for name in ("jobs", "begin_upload", "subscription", "login")]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
def provenance_key(request: HttpRequest) -> HttpResponse:
    """Give away the key that tells whether this service signed a provenance."""
    key = provenance.public_key()
    if key is None:
        raise Http404
    return HttpResponse(key, content_type="application/x-pem-file")
