"""The page of dead letters: how many there are, and the button that puts them back."""

from typing import cast

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from celeryconfig import QUEUES
from gas.models import User
from gas.services import upkeep
from gas.storage.errors import StorageError


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the counts; a POST redrives one queue and is written down with who did it."""
    try:
        if request.method == "POST":
            _redrive(request, request.POST.get("queue", ""))
            return redirect("admin:dead_letters")
        counts = upkeep.dead_letters()
    except StorageError as error:
        messages.error(request, f"SQS cannot be reached: {error}")
        counts = {}
    context = {**site.each_context(request), "title": "Dead letters", "counts": counts}
    return render(request, "admin/dead_letters.html", context)


def _redrive(request: HttpRequest, name: str) -> None:
    if name not in QUEUES:
        messages.error(request, "There is no such queue.")
        return
    moved = upkeep.redrive(queue=QUEUES[name], actor=request.user.get_username())
    told = f"{moved} message{'' if moved == 1 else 's'} moved back to {name}"
    LogEntry.objects.create(
        user=cast(User, request.user), action_flag=CHANGE, object_repr=name, change_message=told
    )
    messages.success(request, f"{told}.")
