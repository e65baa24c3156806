"""Uploads: the row first, then the bytes straight to S3, then the server's own look at them."""

from dataclasses import dataclass

from django.db import transaction

from annotator.errors import InputRefused
from annotator.sniff import sniff
from gas.models import Upload, User
from gas.storage import objects, result_sets
from gas.storage.errors import ChecksumMismatch, ObjectMissing
from gas.storage.locations import inputs


class UploadRefused(Exception):
    """The upload cannot become a job; the message is one sentence for its owner."""


@dataclass(frozen=True)
class Ticket:
    """A new upload and the form that sends its bytes."""

    upload: Upload
    post: objects.PresignedPost


def begin(*, owner: User, filename: str) -> Ticket:
    """Make the row, and the form that sends its bytes."""
    upload = Upload.objects.create(owner=owner, filename=shown_name(filename))
    return Ticket(upload, post_form(upload=upload))


def post_form(*, upload: Upload, redirect: str | None = None) -> objects.PresignedPost:
    """Sign a form for one file of the size that the plan allows; S3 then sends to `redirect`."""
    limit = upload.owner.plan.max_upload_bytes
    return objects.presign_upload(inputs(upload.key), max_bytes=limit, redirect=redirect)


def has_arrived(*, upload: Upload) -> bool:
    """Tell whether S3 holds bytes of this upload, which nobody has looked at yet."""
    try:
        objects.head(inputs(upload.key))
    except ObjectMissing:
        return False
    return True


def shown_name(filename: str) -> str:
    """The last part of a path, printable and bounded; it is shown and never used as a path."""
    return printable(filename.replace("\\", "/").rpartition("/")[2]) or "unnamed"


def printable(name: str) -> str:
    """A name without what would break or turn the line it is shown in, bounded."""
    return "".join(letter for letter in name if letter.isprintable()).strip()[:200]


def check(*, upload: Upload) -> None:
    """Look at the bytes that arrived and mark the upload complete, or refuse it for good.

    Raises UploadRefused; nothing of a refused file is kept.
    """
    if upload.status == Upload.Status.COMPLETE:
        return
    if upload.status == Upload.Status.REFUSED:
        raise UploadRefused(upload.refusal)
    try:
        found = objects.head(inputs(upload.key))
    except ObjectMissing:
        raise UploadRefused("The file has not arrived yet. Please upload it again.") from None
    limit = upload.owner.plan.max_upload_bytes
    try:
        if found.size > limit:
            raise InputRefused(f"The file has {found.size:,} bytes; your plan takes {limit:,}.")
        sniff(objects.read_start(inputs(upload.key), etag=found.etag))
    except (ObjectMissing, ChecksumMismatch):
        raise UploadRefused("The file changed just now. Please submit it again.") from None
    except InputRefused as refusal:
        refuse(upload=upload, sentence=str(refusal))
        raise UploadRefused(str(refusal)) from refusal
    Upload.objects.filter(pk=upload.pk, status=Upload.Status.PENDING).update(
        status=Upload.Status.COMPLETE, size=found.size, etag=found.etag
    )
    upload.refresh_from_db()
    if upload.status == Upload.Status.REFUSED:  # while we looked
        raise UploadRefused(upload.refusal)


def hold(*, upload: Upload) -> None:
    """Keep an upload as it is until the end of the transaction that makes a job of it.

    Raises UploadRefused when it was given up a moment ago.
    """
    held = Upload.objects.select_for_update(of=("self",)).filter(pk=upload.pk).first()
    if held is None or held.status == Upload.Status.REFUSED or held.removed_at:
        raise UploadRefused("The file has been removed. Please upload it again.")


def delete(*, upload: Upload) -> None:
    """Remove an upload that no job uses, and its bytes."""
    key = upload.key
    with transaction.atomic():
        result_sets.discard_input(upload)
        upload.delete()
    result_sets.destroy_input(key)


def refuse(*, upload: Upload, sentence: str) -> None:
    """Say no to a file and destroy it."""
    with transaction.atomic():
        upload.refuse(sentence)
        result_sets.discard_input(upload)
    result_sets.destroy_input(upload.key)
