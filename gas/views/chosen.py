"""What somebody does to several jobs of the list at once: asked first, then done."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from gas.forms import MOST_AT_ONCE, ChosenJobs
from gas.models import Job, Status
from gas.services import jobs
from gas.services.listing import Wanted
from gas.views.requests import SignedIn

#: What can still be stopped.
UNFINISHED = (Status.QUEUED, Status.RUNNING)


@require_http_methods(["GET", "HEAD", "POST"])
def chosen_jobs(request: SignedIn) -> HttpResponse:
    """Ask whether it is meant, and do it when it is sent."""
    sent = request.POST if request.method == "POST" else request.GET
    wanted = Wanted.of(sent)
    form = ChosenJobs(sent)
    found = _own(request, form.cleaned_data["job"]) if form.is_valid() else []
    if not found:
        messages.warning(request, f"Please tick between one and {MOST_AT_ONCE} jobs first.")
    elif request.method == "POST":
        messages.success(request, _done(request, form.cleaned_data["verb"], found))
    else:
        return _asked(request, form.cleaned_data["verb"], found, wanted)
    return redirect(f"{reverse('jobs')}?{wanted.query()}")


def _own(request: SignedIn, ids: list[int]) -> list[Job]:
    """Those of them that are one's own, and still there; of others nothing is said."""
    return list(request.user.jobs.filter(pk__in=ids).select_related("upload"))


def _asked(request: SignedIn, verb: str, found: list[Job], wanted: Wanted) -> HttpResponse:
    affected = [job for job in found if verb == "delete" or job.state in UNFINISHED]
    context = {
        "verb": verb,
        "affected": affected,
        "left": len(found) - len(affected),
        "wanted": wanted,
    }
    return render(request, "pages/chosen_jobs.html", context)


def _done(request: SignedIn, verb: str, found: list[Job]) -> str:
    if verb == "delete":
        deleted = jobs.delete_all(jobs=found, actor=request.user)
        return f"{_jobs(deleted)} deleted, with all files."
    cancelled = jobs.cancel_all(jobs=found, actor=request.user)
    left = len(found) - cancelled
    return f"{_jobs(cancelled)} cancelled." + (f" {left} had finished already." if left else "")


def _jobs(count: int) -> str:
    return "1 job was" if count == 1 else f"{count} jobs were"
