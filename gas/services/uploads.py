"""Uploads: the row first, then the bytes straight to S3, then the server's own look at them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from annotator.errors import InputRefused
from annotator.first_look import assembly_of
from annotator.sniff import sniff
from gas.models import Upload, User
from gas.services import limits, maintenance, reference
from gas.storage import objects, parts, result_sets
from gas.storage.digests import MIB
from gas.storage.errors import ChecksumMismatch, ObjectMissing
from gas.storage.locations import inputs

CHANGED = "The file changed just now. Please submit it again."
MOST_NOTES = 2000
ENDED = "This upload has ended. Please choose the file again."


class UploadRefused(Exception):
    """The upload cannot become a job; the message is one sentence for its owner."""


class UploadUnfinished(UploadRefused):
    """The bytes have not arrived, or not all of them; what is here is kept."""


class UploadUsed(UploadRefused):
    """A job is made of it, so that it cannot be removed by itself."""


@dataclass(frozen=True)
class Ticket:
    """A new upload and the form that sends its bytes."""

    upload: Upload
    post: objects.PresignedPost


@dataclass(frozen=True)
class InParts:
    """An upload in parts, and the SHA-256 (hexadecimal) of each part that has arrived."""

    upload: Upload
    arrived: dict[int, str] = field(default_factory=dict)


def begin(*, owner: User, filename: str) -> Ticket:
    """Make the row, and the form that sends its bytes; UnderMaintenance when nothing is taken."""
    maintenance.admit(owner)
    upload = Upload.objects.create(
        owner=owner, filename=shown_name(filename), give_up_at=Now() + settings.UPLOADS_KEPT
    )
    return Ticket(upload, post_form(upload=upload))


def begin_parts(*, owner: User, filename: str, size: int, first_bytes: str) -> InParts:
    """Make the row of an upload in parts, or go on with one of the same file that broke off.

    `first_bytes` is the SHA-256 of the file's start. Raises UploadRefused beyond the plan,
    UnderMaintenance when nothing is taken.
    """
    maintenance.admit(owner)
    if sentence := _refusal_of_size(owner, size):
        raise UploadRefused(sentence)
    same = unfinished(owner=owner).filter(
        status=Upload.Status.PENDING,
        filename=shown_name(filename),
        announced=size,
        first_bytes=first_bytes,
    )
    if going_on := _broken_off(same):
        return going_on
    upload = _announced(owner, shown_name(filename), size, first_bytes)
    upload.parts_id = parts.begin(inputs(upload.key))
    Upload.objects.filter(pk=upload.pk).update(parts_id=upload.parts_id)
    return InParts(upload)


def _refusal_of_size(owner: User, size: int) -> str:
    return "The file is empty." if size < 1 else limits.refusal_of(size, owner.limits)


def _broken_off(same: Iterable[Upload]) -> InParts | None:
    """The first of these of which S3 still has the parts."""
    for upload in same:
        arrived = parts.arrived(inputs(upload.key), upload.parts_id) if upload.parts_id else None
        if arrived is not None:
            return InParts(upload, {part.number: part.sha256 for part in arrived})
    return None


def _announced(owner: User, filename: str, size: int, first_bytes: str) -> Upload:
    """Make the row of an upload that its owner's plan has room for, however many ask at once."""
    with transaction.atomic():
        owner = User.objects.select_for_update(of=("self",)).get(pk=owner.pk)
        if sentence := limits.room_of(owner).hindrance_to(size):
            raise UploadRefused(sentence)
        return Upload.objects.create(
            owner=owner,
            filename=filename,
            announced=size,
            part_bytes=_part_bytes(size),
            first_bytes=first_bytes,
            give_up_at=Now() + settings.UPLOADS_KEPT,
        )


def _part_bytes(size: int) -> int:
    """The usual size of a part, or so many whole MiB that S3's most parts suffice."""
    least = -(-size // parts.MOST_PARTS)
    return settings.PART_BYTES if least <= settings.PART_BYTES else -(-least // MIB) * MIB


def part_link(*, upload: Upload, number: int, sha256: str) -> parts.PresignedPut:
    """Sign a link for one part, as `part_links` does for several."""
    (link,) = part_links(upload=upload, wanted={number: sha256})
    return link


def part_links(*, upload: Upload, wanted: Mapping[int, str]) -> list[parts.PresignedPut]:
    """Sign links for parts, by their numbers from 1 and their SHA-256 (hexadecimal).

    Their size is the one that was announced. Raises UploadRefused when there is no such part,
    UnderMaintenance when nothing is taken; what has arrived is kept.
    """
    maintenance.admit(upload.owner)
    sizes = dict(enumerate(upload.part_sizes, 1))
    if not wanted.keys() <= sizes.keys():
        raise UploadRefused("The file has no such part.")
    coming = Upload.objects.filter(pk=upload.pk, status=Upload.Status.PENDING).exclude(parts_id="")
    if not coming.update(give_up_at=Now() + settings.UPLOADS_KEPT):
        raise UploadRefused(ENDED)
    place, name = inputs(upload.key), upload.parts_id
    return [
        parts.presign(place, name, number=number, size=sizes[number], sha256=sha256)
        for number, sha256 in wanted.items()
    ]


def arrived_parts(*, upload: Upload) -> list[parts.Part]:
    """The parts that S3 holds; none of an upload that comes in one, or has been put together."""
    return (upload.parts_id and parts.arrived(inputs(upload.key), upload.parts_id)) or []


def unfinished(*, owner: User) -> QuerySet[Upload]:
    """Uploads that broke off, or arrived and were not submitted, newest first."""
    waiting = owner.uploads.filter(give_up_at__gt=Now(), jobs=None)
    return waiting.exclude(status=Upload.Status.PENDING, parts_id="").order_by("-created_at")


def post_form(*, upload: Upload, redirect: str | None = None) -> objects.PresignedPost:
    """Sign a form for one file of the size that the plan allows; S3 then sends to `redirect`."""
    limit = min(upload.owner.limits.max_upload_bytes, objects.SINGLE_PUT)
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


def readable(text: str) -> str:
    """A text of several lines without what would break or turn them, bounded."""
    lines = text.replace("\r\n", "\n").split("\n")
    kept = ("".join(c for c in line if c.isprintable() or c == "\t") for line in lines)
    return "\n".join(kept).strip()[:MOST_NOTES]


def check(*, upload: Upload) -> None:
    """Look at the bytes that arrived and mark the upload complete, or refuse it for good.

    Raises UploadRefused; nothing of a refused file is kept.
    """
    if upload.status == Upload.Status.COMPLETE:
        return
    if upload.status == Upload.Status.REFUSED:
        raise UploadRefused(upload.refusal)
    try:
        _assemble(upload)
        found = _arrived(upload)
        assembly = _looked_at(upload, found)
    except (ObjectMissing, ChecksumMismatch):
        raise UploadUnfinished(CHANGED) from None
    except InputRefused as refusal:
        refuse(upload=upload, sentence=str(refusal))
        raise UploadRefused(str(refusal)) from refusal
    Upload.objects.filter(pk=upload.pk, status=Upload.Status.PENDING).update(
        status=Upload.Status.COMPLETE,
        size=found.size,
        etag=found.etag,
        assembly=assembly,
        parts_id="",
    )
    try:
        upload.refresh_from_db()
    except Upload.DoesNotExist:  # deleted in another window, while we looked
        raise UploadRefused(ENDED) from None
    if upload.status == Upload.Status.REFUSED:  # while we looked
        raise UploadRefused(upload.refusal)


def _assemble(upload: Upload) -> None:
    """Make one object of the parts; UploadRefused until they are all there, each of its size."""
    if not upload.parts_id:
        return
    arrived = parts.arrived(inputs(upload.key), upload.parts_id)
    if arrived is None:  # assembled by a request whose answer was lost, or gone
        return
    expected = list(enumerate(upload.part_sizes, 1))
    missing = set(expected) - {(part.number, part.size) for part in arrived}
    if missing:
        raise UploadUnfinished(
            f"{len(missing)} of {len(expected)} parts of the file have not arrived. "
            "Please choose the file again; what is here is kept."
        )
    parts.assemble(inputs(upload.key), upload.parts_id, arrived)


def _arrived(upload: Upload) -> objects.ObjectHead:
    try:
        return objects.head(inputs(upload.key))
    except ObjectMissing:
        raise UploadUnfinished("The file has not arrived yet. Please upload it again.") from None


def _looked_at(upload: Upload, found: objects.ObjectHead) -> str:
    """Look at the size and the start of what arrived; returns the assembly, if it says one.

    Raises InputRefused, or the storage's errors when it changes meanwhile.
    """
    if sentence := limits.refusal_of(found.size, upload.owner.limits):
        raise InputRefused(sentence)
    if upload.announced not in (None, found.size):
        raise InputRefused("The file that arrived is not the one that was announced.")
    start = objects.read_start(inputs(upload.key), etag=found.etag)
    sniff(start)
    assembly = assembly_of(start) or ""
    try:
        reference.choose("", assembly=assembly)
    except reference.NoReference as refusal:
        raise InputRefused(str(refusal)) from refusal
    return assembly


def hold(*, upload_id: UUID) -> None:
    """Keep an upload as it is until the end of the transaction that makes a job of it.

    Raises UploadRefused when it was given up or deleted a moment ago.
    """
    held = Upload.objects.select_for_update(of=("self",)).filter(pk=upload_id).first()
    if held is None or held.status == Upload.Status.REFUSED or held.removed_at:
        raise UploadRefused("The file has been removed. Please upload it again.")


def delete(*, upload: Upload) -> None:
    """Remove an upload that no job uses, and its bytes; UploadRefused when one does."""
    key = upload.key
    with transaction.atomic():
        held = Upload.objects.select_for_update(of=("self",)).filter(pk=upload.pk).first()
        if held is None:
            return
        if held.jobs.exists():
            raise UploadUsed("This file was submitted. Delete its job to delete it.")
        result_sets.discard_input(held)
        held.delete()
    result_sets.destroy_input(key)


def refuse(*, upload: Upload, sentence: str) -> None:
    """Say no to a file and destroy it."""
    with transaction.atomic():
        upload.refuse(sentence)
        result_sets.discard_input(upload)
    result_sets.destroy_input(upload.key)
