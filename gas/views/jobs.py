"""The jobs of whoever is signed in."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from gas.forms import JobList
from gas.models import Job, ResultFile, Status
from gas.services import jobs, queue
from gas.services.jobs import JobRefused
from gas.views import errors, findings, listing, timeline
from gas.views.requests import SignedIn

#: How long a retrieval takes by its tier, as Amazon says.
WAITS = {"Expedited": "1 to 5 minutes", "Standard": "3 to 5 hours"}

#: What the annotator is at, by its own words for it.
STAGES = {
    "": "Fetching your file",
    "sort": "Sorting",
    "annotate": "Annotating",
    "write": "Writing the results",
    "done": "Putting the results away",
}


@require_safe
def job_list(request: SignedIn) -> HttpResponse:
    """List jobs, newest first."""
    form = JobList(request.GET)
    wanted = {"show": "", "before": None, **(form.cleaned_data if form.is_valid() else {})}
    page = listing.page(request.user, **wanted)
    context = {
        "chips": listing.chips(request.user),
        "page": page,
        "moving": any(is_moving(job) for job in page.jobs),
        **wanted,
    }
    return render(request, "pages/jobs.html", context)


@require_safe
def job_page(request: SignedIn, job_id: int) -> HttpResponse:
    """Show one job."""
    return render(request, "pages/job.html", _shown(_own(request, job_id)))


@require_safe
def job_live(request: SignedIn, job_id: int) -> HttpResponse:
    """Return the job's part of its page when it changed since it was seen, else nothing."""
    job = _own(request, job_id)
    seen = request.GET.get("seen", "")
    if seen == _version(job):
        return HttpResponse(status=204)
    told = {"update": True, "moved": not seen.startswith(f"{job.status}.")}
    return render(request, "components/job_live.html", {**_shown(job), **told})


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


def is_moving(job: Job) -> bool:
    """Tell whether the page should ask again: a task has the job, or is about to."""
    due = job.wake_at is not None and job.wake_at <= timezone.now()
    return not job.is_at_rest or (due and job.state in (Status.COMPLETED, Status.ARCHIVED))


def _own(request: SignedIn, job_id: int) -> Job:
    return get_object_or_404(request.user.jobs.select_related("upload", "owner__plan"), pk=job_id)


def _tier(job: Job) -> str:
    """The tier of the file that comes last: Standard when any is, else Expedited."""
    tiers = job.files.exclude(retrieval_tier="").values_list("retrieval_tier", flat=True)
    return max(tiers, default="")


def _version(job: Job) -> str:
    """Name everything that the live part of the page depends on."""
    progress = f"{job.stage}.{job.percent}"
    place = queue.place_of(job)
    progress += f".{place.before}" if place else ""
    return f"{job.status}.{job.events.count()}.{_tier(job)}.{is_moving(job):d}.{progress}"


def _shown(job: Job) -> dict[str, Any]:
    tier = _tier(job)
    left = (job.due_at - timezone.now()).total_seconds() if job.due_at else 0
    return {
        "job": job,
        "version": _version(job),
        "moving": is_moving(job),
        "can_cancel": job.state in (Status.QUEUED, Status.RUNNING),
        "history": timeline.history(job),
        "ahead": timeline.ahead(job),
        "findings": findings.of(job),
        "files": sorted(job.files.all(), key=lambda file: list(ResultFile.NAMES).index(file.kind)),
        "seconds_left": max(0, round(left)),
        "retention": settings.FREE_RETENTION,
        "tier": tier,
        "wait": WAITS.get(tier, ""),
        "place": queue.place_of(job),
        "stage": STAGES.get(job.stage, "Working"),
    }
