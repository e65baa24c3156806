"""Rows of whoever asks; those of others do not exist."""

from typing import Annotated
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Path

from gas.api.requests import ApiRequest
from gas.api.schemas.base import LARGEST_ID
from gas.models import Job, ResultFile, Upload
from gas.services.jobs import NotAtHand

JobId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Number of a job.")]


def job(request: ApiRequest, number: int) -> Job:
    """A job of theirs; raises Http404."""
    return get_object_or_404(request.user.jobs.select_related("upload"), pk=number)


def job_with(request: ApiRequest, number: int, kind: ResultFile.Kind) -> Job:
    """A job of theirs that has a file of a kind, read with its files; raises NotAtHand, Http404."""
    mine = request.user.jobs.select_related("upload").prefetch_related("files")
    found = get_object_or_404(mine, pk=number)
    if kind not in {file.kind for file in found.files.all()}:
        raise NotAtHand("This job has no such file yet.")
    return found


def upload(request: ApiRequest, name: UUID) -> Upload:
    """An upload of theirs; raises Http404."""
    return get_object_or_404(request.user.uploads, pk=name)
