"""From a file on somebody's machine to a job: the bytes go to S3, never through this site."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from gas.forms import NewJob, NewUpload
from gas.models import Upload
from gas.services import jobs, reference, uploads
from gas.services.jobs import JobRefused
from gas.services.uploads import UploadRefused
from gas.views.requests import SignedIn


@require_safe
def new_job(request: SignedIn) -> HttpResponse:
    """Show the ways to start a job, and what the plan allows."""
    return render(request, "pages/new_job.html", _offer(request))


@require_POST
def begin_upload(request: SignedIn) -> HttpResponse:
    """Make an upload; a script gets the form for S3, a person the page that has it."""
    form = NewUpload(request.POST)
    filename = form.cleaned_data["filename"] if form.is_valid() else "input.vcf"
    ticket = uploads.begin(owner=request.user, filename=filename)
    if not request.accepts("text/html"):
        submit = reverse("submit_upload", args=[ticket.upload.pk])
        answer = {"url": ticket.post.url, "fields": ticket.post.fields, "submit": submit}
        return JsonResponse(answer, status=201)
    return redirect("upload", ticket.upload.pk)


@require_safe
def upload(request: SignedIn, upload_id: Any) -> HttpResponse:
    """Show how far an upload is: the form for its bytes, or the button that makes it a job."""
    return _page(request, get_object_or_404(request.user.uploads, pk=upload_id))


@require_POST
def submit_upload(request: SignedIn, upload_id: Any) -> HttpResponse:
    """Look at the bytes that arrived and queue the job; twice gives the same job."""
    found = get_object_or_404(request.user.uploads, pk=upload_id)
    form = NewJob(request.POST)
    if not form.is_valid():
        sentence = "The name is longer than 200 characters or has one that cannot be shown."
        return _page(request, found, refusal=sentence)
    try:
        job = jobs.submit(upload=found, name=form.cleaned_data["name"])
    except (UploadRefused, JobRefused) as refusal:
        return _page(request, found, refusal=str(refusal))
    return redirect("job", job.pk)


@require_POST
def submit_example(request: SignedIn) -> HttpResponse:
    """Queue a job for the example."""
    try:
        job = jobs.submit_example(owner=request.user)
    except JobRefused as refusal:
        context = {**_offer(request), "refusal": str(refusal)}
        return render(request, "pages/new_job.html", context, status=422)
    return redirect("job", job.pk)


def _offer(request: SignedIn) -> dict[str, Any]:
    return {"plan": request.user.plan, "reference": reference.in_use()}


def _page(request: SignedIn, found: Upload, refusal: str = "") -> HttpResponse:
    pending = found.status == Upload.Status.PENDING
    arrived = pending and uploads.has_arrived(upload=found)
    context: dict[str, Any] = {
        "upload": found,
        "plan": request.user.plan,
        "job": found.jobs.first(),
        "refusal": refusal or found.refusal,
        "can_submit": arrived or found.status == Upload.Status.COMPLETE,
    }
    if pending and not arrived:
        back = request.build_absolute_uri(reverse("upload", args=[found.pk]))
        context["post"] = uploads.post_form(upload=found, redirect=back)
    return render(request, "pages/upload.html", context, status=422 if refusal else 200)
