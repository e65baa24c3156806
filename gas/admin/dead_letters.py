"""The page of dead letters: how many there are, and the button that puts them back."""

from typing import cast

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from gas.admin.forms import ReasonForm
from gas.models import User
from gas.services import upkeep
from gas.services.staff import acts, queues
from gas.services.staff.acts import ActRefused
from gas.storage.errors import StorageError


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the counts; a POST asks why, then redrives one queue."""
    try:
        if request.method == "POST":
            acts.refuse_onlooker(cast(User, request.user))
            return _asked(request, site)
        counts = upkeep.dead_letters()
    except StorageError as error:
        messages.error(request, f"SQS cannot be reached: {error}")
        counts = {}
    context = {
        **site.each_context(request),
        "title": "Dead letters",
        "counts": counts,
        "may_act": acts.may_act(cast(User, request.user)),
    }
    return render(request, "admin/dead_letters.html", context)


def _asked(request: HttpRequest, site: AdminSite) -> HttpResponse:
    name, is_confirmed = request.POST.get("queue", ""), request.POST.get("confirmed") == "yes"
    form = ReasonForm(request.POST if is_confirmed else None)
    try:
        queue = queues.queue_named(name)
        if is_confirmed and form.is_valid():
            actor, reason = request.user.get_username(), form.cleaned_data["reason"]
            messages.success(request, queues.redrive(queue=queue, actor=actor, reason=reason))
            return redirect("admin:dead_letters")
    except ActRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("admin:dead_letters")
    title = f"Move dead letters back to {name}"
    context = {**site.each_context(request), "title": title, "queue": name, "form": form}
    status = 422 if is_confirmed else 200
    return render(request, "admin/redrive.html", context, status=status)
