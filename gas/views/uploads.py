"""From a file on somebody's machine to a job: the bytes go to S3, never through this site."""

import json
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotator.chromosomes import ASSEMBLY_OF
from gas.forms import NewJob, NewPart, NewParts, NewUpload
from gas.models import Upload
from gas.services import jobs, limits, reference, uploads
from gas.services.jobs import JobRefused
from gas.services.uploads import UploadRefused
from gas.views.requests import SignedIn


@require_safe
def new_job(request: SignedIn) -> HttpResponse:
    """Show the ways to start a job, what the plan allows, and uploads that can go on."""
    return render(request, "pages/new_job.html", _offer(request))


@require_POST
def begin_upload(request: SignedIn) -> HttpResponse:
    """Make an upload: for a script one in parts, for a person one by the form of the next page."""
    if not request.accepts("text/html"):
        return _begin_parts(request)
    form = NewUpload(request.POST)
    filename = form.cleaned_data["filename"] if form.is_valid() else "input.vcf"
    ticket = uploads.begin(owner=request.user, filename=filename)
    return redirect("upload", ticket.upload.pk)


def _begin_parts(request: SignedIn) -> HttpResponse:
    form = NewParts(request.POST)
    if not form.is_valid():
        return _problem("The name, the size or the start of the file is missing or too long.")
    try:
        begun = uploads.begin_parts(owner=request.user, **form.cleaned_data)
    except UploadRefused as refusal:
        return _problem(str(refusal))
    upload = begun.upload
    answer = {
        "partBytes": upload.part_bytes,
        "arrived": begun.arrived,
        "parts": reverse("sign_part", args=[upload.pk]),
        "submit": reverse("submit_upload", args=[upload.pk]),
        "cancel": reverse("cancel_upload", args=[upload.pk]),
    }
    return JsonResponse(answer, status=HTTPStatus.CREATED)


@require_POST
def sign_part(request: SignedIn, upload_id: Any) -> HttpResponse:
    """Sign a link for one part of an upload, good for exactly its bytes."""
    found = get_object_or_404(request.user.uploads, pk=upload_id)
    form = NewPart(request.POST)
    if not form.is_valid():
        return _problem("The number or the checksum of the part is missing.")
    try:
        link = uploads.part_link(upload=found, **form.cleaned_data)
    except UploadRefused as refusal:
        return _problem(str(refusal))
    return JsonResponse({"url": link.url, "headers": link.headers})


@require_safe
def upload(request: SignedIn, upload_id: Any) -> HttpResponse:
    """Show how far an upload is: the form for its bytes, or the button that makes it a job."""
    return _page(request, get_object_or_404(request.user.uploads, pk=upload_id))


@require_POST
def submit_upload(request: SignedIn, upload_id: Any) -> HttpResponse:
    """Look at the bytes that arrived and queue the job; twice gives the same job."""
    found = get_object_or_404(request.user.uploads, pk=upload_id)
    form = NewJob(request.POST)
    scripted = not request.accepts("text/html")
    try:
        if not form.is_valid():
            raise JobRefused("A name takes 200 characters that can be shown, notes take 2,000.")
        job = jobs.submit(upload=found, **form.cleaned_data)
    except (UploadRefused, JobRefused) as refusal:
        return _problem(str(refusal)) if scripted else _page(request, found, str(refusal))
    if scripted:
        return JsonResponse({"job": reverse("job", args=[job.pk])}, status=HTTPStatus.CREATED)
    return redirect("job", job.pk)


@require_POST
def cancel_upload(request: SignedIn, upload_id: Any) -> HttpResponse:
    """Remove an upload that is no job, and what of it has arrived."""
    found = get_object_or_404(request.user.uploads, pk=upload_id)
    scripted = not request.accepts("text/html")
    try:
        uploads.delete(upload=found)
    except UploadRefused as refusal:
        return _problem(str(refusal)) if scripted else _page(request, found, str(refusal))
    if scripted:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    messages.success(request, f"{found.filename} was removed.")
    return redirect("new_job")


@require_POST
def submit_example(request: SignedIn) -> HttpResponse:
    """Queue a job for the example."""
    try:
        job = jobs.submit_example(owner=request.user)
    except (UploadRefused, JobRefused) as refusal:
        context = {**_offer(request), "refusal": str(refusal)}
        return render(request, "pages/new_job.html", context, status=422)
    return redirect("job", job.pk)


def _problem(sentence: str) -> JsonResponse:
    return JsonResponse({"problem": sentence}, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _offer(request: SignedIn) -> dict[str, Any]:
    room = limits.room_of(request.user)
    return {
        "plan": room.plan,
        "limits": room.limits,
        "room": room,
        "hindrance": room.hindrance,
        "references": reference.installed(),
        "assemblies": json.dumps(ASSEMBLY_OF),
        "unfinished": list(uploads.unfinished(owner=request.user)[:20]),
    }


def _page(request: SignedIn, found: Upload, refusal: str = "") -> HttpResponse:
    pending = found.status == Upload.Status.PENDING and not found.parts_id
    arrived = pending and uploads.has_arrived(upload=found)
    context: dict[str, Any] = {
        "upload": found,
        "limits": request.user.limits,
        "job": found.jobs.first(),
        "refusal": refusal or found.refusal,
        "references": reference.installed(),
        "can_submit": arrived or found.status == Upload.Status.COMPLETE,
    }
    if pending and not arrived:
        back = request.build_absolute_uri(reverse("upload", args=[found.pk]))
        context["post"] = uploads.post_form(upload=found, redirect=back)
    return render(request, "pages/upload.html", context, status=422 if refusal else 200)
