"""Uploads: the API tells where the bytes go, and looks at them when they are there."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Router, Status

from gas import problems
from gas.api.errors import wrong_field
from gas.api.etags import NO_STORE
from gas.api.requests import ApiRequest
from gas.api.routing import serves
from gas.api.schemas import uploads as schemas
from gas.models import Scope, Upload
from gas.services import uploads
from gas.storage import objects
from gas.storage.parts import Part

routes = Router(tags=["uploads"])

#: Uploads that are listed.
MOST = 100

UploadId = Annotated[UUID, Path(description="Id of an upload.")]


@routes.get("/uploads", **serves(Scope.WRITE, schemas.UploadPage))
def list_uploads(request: ApiRequest) -> schemas.UploadPage:
    """List uploads that can go on: those that broke off, and those that no job was made of."""
    rows = uploads.unfinished(owner=request.user)[:MOST]
    return schemas.UploadPage(items=[schemas.Upload(**_told(row, None)) for row in rows])


@routes.post(
    "/uploads",
    **serves(
        Scope.WRITE,
        schemas.BegunUpload,
        status=201,
        may=[problems.UPLOAD_REFUSED, problems.MAINTENANCE],
    ),
)
def create_upload(
    request: ApiRequest, new: schemas.NewUpload, response: HttpResponse
) -> Status[schemas.BegunUpload]:
    """Begin an upload: in parts with `size` and `first_bytes`, else by a form for all of it.

    The same file again, by name, size and first bytes, goes on where it broke off: `arrived` tells
    what need not be sent again.
    """
    if (new.size is None) is not (new.first_bytes is None):
        missing = "/size" if new.size is None else "/first_bytes"
        raise wrong_field(missing, "A file in parts needs both size and first_bytes.")
    response["Cache-Control"] = NO_STORE
    begun = _in_one(request, new) if new.size is None else _in_parts(request, new)
    response["Location"] = f"/api/v1/uploads/{begun.id}"
    return Status(201, begun)


def _in_one(request: ApiRequest, new: schemas.NewUpload) -> schemas.BegunUpload:
    ticket = uploads.begin(owner=request.user, filename=new.filename)
    most = min(request.user.limits.max_upload_bytes, objects.SINGLE_PUT)
    ticket.upload.refresh_from_db(fields=["give_up_at"])
    form = schemas.UploadForm(url=ticket.post.url, fields=ticket.post.fields, max_bytes=most)
    return schemas.BegunUpload(**_told(ticket.upload, None), form=form, arrived=[])


def _in_parts(request: ApiRequest, new: schemas.NewUpload) -> schemas.BegunUpload:
    begun = uploads.begin_parts(
        owner=request.user,
        filename=new.filename,
        size=new.size or 0,
        first_bytes=new.first_bytes or "",
    )
    begun.upload.refresh_from_db(fields=["give_up_at"])
    sizes = dict(enumerate(begun.upload.part_sizes, 1))
    arrived = [
        schemas.Part(number=number, size=sizes.get(number, 0), sha256=sha256)
        for number, sha256 in begun.arrived.items()
    ]
    return schemas.BegunUpload(**_told(begun.upload, None), form=None, arrived=arrived)


@routes.get("/uploads/{upload_id}", **serves(Scope.WRITE, schemas.Upload))
def get_upload(request: ApiRequest, upload_id: UploadId) -> schemas.Upload:
    """Tell how far an upload is."""
    return _shown(_own(request, upload_id))


@routes.delete(
    "/uploads/{upload_id}",
    **serves(Scope.WRITE, None, status=204, may=[problems.UPLOAD_USED]),
)
def delete_upload(request: ApiRequest, upload_id: UploadId) -> Status[None]:
    """Give an upload up, with what of it has arrived."""
    uploads.delete(upload=_own(request, upload_id))
    return Status(204, None)


@routes.get("/uploads/{upload_id}/parts", **serves(Scope.WRITE, schemas.UploadParts))
def list_parts(request: ApiRequest, upload_id: UploadId) -> schemas.UploadParts:
    """List the parts that have arrived, so that an upload can go on where it broke off."""
    upload = _own(request, upload_id)
    return schemas.UploadParts(
        part_size=upload.part_bytes,
        parts=len(upload.part_sizes),
        arrived=[_part(part) for part in uploads.arrived_parts(upload=upload)],
    )


@routes.post(
    "/uploads/{upload_id}/parts",
    **serves(Scope.WRITE, schemas.SignedParts, may=[problems.UPLOAD_REFUSED, problems.MAINTENANCE]),
)
def sign_parts(
    request: ApiRequest,
    upload_id: UploadId,
    wanted: schemas.PartsToSign,
    response: HttpResponse,
) -> schemas.SignedParts:
    """Sign links for parts, each good for exactly its bytes; several can be sent at once."""
    upload = _own(request, upload_id)
    asked = {part.number: part.sha256 for part in wanted.parts}
    if len(asked) < len(wanted.parts):
        raise wrong_field("/parts", "The same part is asked for twice.")
    links = uploads.part_links(upload=upload, wanted=asked)
    sizes = dict(enumerate(upload.part_sizes, 1))
    response["Cache-Control"] = NO_STORE
    return schemas.SignedParts(
        parts=[
            schemas.SignedPart(
                number=number, size=sizes[number], url=link.url, headers=link.headers
            )
            for number, link in zip(asked, links, strict=True)
        ]
    )


@routes.post(
    "/uploads/{upload_id}/complete",
    **serves(
        Scope.WRITE, schemas.Upload, may=[problems.UPLOAD_UNFINISHED, problems.UPLOAD_REFUSED]
    ),
)
def complete_upload(request: ApiRequest, upload_id: UploadId) -> schemas.Upload:
    """Put the parts together and look at the file, as making a job of it does too."""
    upload = _own(request, upload_id)
    uploads.check(upload=upload)
    return _shown(upload)


def _own(request: ApiRequest, upload_id: UUID) -> Upload:
    return get_object_or_404(request.user.uploads, pk=upload_id)


def _part(part: Part) -> schemas.Part:
    return schemas.Part(number=part.number, size=part.size, sha256=part.sha256)


def _shown(upload: Upload) -> schemas.Upload:
    newest = upload.jobs.order_by("-pk").values_list("pk", flat=True).first()
    return schemas.Upload(**_told(upload, newest))


def _told(upload: Upload, job: int | None) -> dict[str, Any]:
    return {
        "id": upload.pk,
        "status": upload.status,
        "filename": upload.filename,
        "size": upload.size,
        "assembly": upload.assembly or None,
        "refusal": upload.refusal or None,
        "job": job,
        "announced_size": upload.announced,
        "part_size": upload.part_bytes,
        "parts": len(upload.part_sizes),
        "created_at": upload.created_at,
        "expires_at": upload.give_up_at,
    }
