"""The jobs of whoever is signed in."""

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import retarget

from gas.forms import RunAgain
from gas.models import Job, ResultFile
from gas.services import jobs, listing, reruns
from gas.services.jobs import JobRefused
from gas.services.listing import Wanted
from gas.templatetags import drawn
from gas.views import errors, job_parts
from gas.views.requests import SignedIn


@require_safe
def job_list(request: SignedIn) -> HttpResponse:
    """List jobs, newest first; to a list that asks for news, only what has changed."""
    wanted = Wanted.of(request.GET)
    page = listing.page(request.user, wanted, columns=(*drawn.COLUMNS, "wake_at", "trouble"))
    if wanted.after and page.newer_than is None:
        return redirect(f"{reverse('jobs')}?{wanted.newest.query()}")
    chips = listing.chips(request.user, wanted)
    version = listing.version(chips, page)
    if "HX-Request" in request.headers and request.GET.get("seen") == version:
        return HttpResponse(status=204)
    context = {
        "chips": chips,
        "page": page,
        "moving": any(job_parts.is_moving(job) for job in page.jobs),
        "wanted": wanted,
        "older_query": wanted.newest.query(before=page.older_than),
        "newer_query": wanted.newest.query(after=page.newer_than),
        "version": version,
    }
    return render(request, "pages/jobs.html", context)


@require_safe
def job_page(request: SignedIn, job_id: int) -> HttpResponse:
    """Show one job."""
    job = _own(request, job_id)
    return render(request, "pages/job.html", job_parts.whole(job, job_parts.now(job)))


@require_safe
def job_live(request: SignedIn, job_id: int) -> HttpResponse:
    """Return what has changed since it was seen: nothing, how far it is, or the whole part."""
    job = _own(request, job_id)
    now, seen = job_parts.now(job), request.GET.get("seen", "")
    if seen == now["version"]:
        return HttpResponse(status=204)
    if job_parts.only_further(seen, now["version"]):
        return render(request, "components/job_now.html", now)
    told = {"update": True, "moved": not seen.startswith(f"{job.status}.")}
    part = render(request, "components/job_live.html", {**job_parts.whole(job, now), **told})
    return retarget(part, "#job-live")


@require_safe
def job_log(request: SignedIn, job_id: int) -> HttpResponse:
    """Show the annotation log, once there is one."""
    job = _own(request, job_id)
    written = job.files.filter(kind=ResultFile.Kind.LOG).exists()
    context = {"job": job, "log": jobs.log_text(job=job) if written else ""}
    return render(request, "pages/job_log.html", context)


@require_POST
def cancel_job(request: SignedIn, job_id: int) -> HttpResponse:
    """Stop a job that has not finished."""
    job = _own(request, job_id)
    try:
        jobs.cancel(job=job, actor=request.user)
    except JobRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect("job", job.pk)


@require_POST
def run_again(request: SignedIn, job_id: int) -> HttpResponse:
    """Start a new job with the file and the settings of this one; twice gives the same job."""
    job = _own(request, job_id)
    form = RunAgain(request.POST)
    newest = form.cleaned_data["newest"] if form.is_valid() else None
    try:
        again = reruns.rerun(job=job, actor=request.user, newest=newest)
    except JobRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("job", job.pk)
    return redirect("job", again.pk)


@require_POST
def delete_job(request: SignedIn, job_id: int) -> HttpResponse:
    """Remove a job and all its bytes."""
    job = _own(request, job_id)
    jobs.delete(job=job, actor=request.user)
    messages.success(request, f"Job {job_id} and its files were deleted.")
    return redirect("jobs")


@require_safe
def download(request: SignedIn, job_id: int, kind: str) -> HttpResponse:
    """Lead to a result file by a link that is good for minutes."""
    file = get_object_or_404(_own(request, job_id).files, kind=kind)
    try:
        return redirect(jobs.download_link(file=file))
    except JobRefused as refusal:
        return errors.page(request, 409, str(refusal))


def _own(request: SignedIn, job_id: int) -> Job:
    newest = Job.objects.filter(upload=OuterRef("upload")).order_by("-pk").values("pk")[:1]
    jobs_of_theirs = request.user.jobs.select_related("upload", "owner__plan")
    return get_object_or_404(jobs_of_theirs.annotate(newest=Subquery(newest)), pk=job_id)
