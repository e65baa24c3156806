"""Inputs and results in S3: uploaded and downloaded by signed links, streamed, checksummed."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path

from botocore.exceptions import ClientError
from django.utils.http import content_disposition_header

from gas.storage import clients, streams
from gas.storage.digests import MIB, blocks, sha256_of_file, to_hexadecimal
from gas.storage.errors import ChecksumMismatch, ObjectMissing, code_of, kind_of, translated
from gas.storage.locations import Location

#: Seconds in which an upload must begin.
UPLOAD_SECONDS = 3600

#: Longest life of a download link, in seconds.
DOWNLOAD_SECONDS = 300

#: The most bytes that S3 takes in one PUT; larger files go up in parts.
SINGLE_PUT = 5 * 1024 * MIB


@dataclass(frozen=True)
class PresignedPost:
    """A form that uploads one file: where it goes and the hidden fields it must carry."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True)
class ObjectHead:
    """What S3 says of an object without its bytes; `sha256` (hexadecimal) if it knows one."""

    size: int
    etag: str
    sha256: str | None
    storage_class: str
    restore: str | None


@dataclass(frozen=True)
class Stored:
    """Bytes at a place, by their number and SHA-256 (hexadecimal)."""

    location: Location
    size: int
    sha256: str


def presign_upload(to: Location, *, max_bytes: int, redirect: str | None = None) -> PresignedPost:
    """Sign a form that uploads at most `max_bytes` bytes to exactly `to`, within an hour.

    S3 itself enforces place, size and type; afterwards it sends the browser to `redirect`. It takes
    an empty file too, so that we say what is wrong with it, and not a page of S3's.
    """
    fields = {"Content-Type": "application/octet-stream"}
    fields |= (
        {"success_action_redirect": redirect} if redirect else {"success_action_status": "201"}
    )
    conditions = [{name: value} for name, value in fields.items()]
    with translated(to):
        post = clients.s3().generate_presigned_post(
            to.bucket,
            to.key,
            Fields=dict(fields),
            Conditions=[*conditions, ["content-length-range", 0, max_bytes]],
            ExpiresIn=UPLOAD_SECONDS,
        )
    return PresignedPost(post["url"], post["fields"])


def presign_download(
    source: Location, *, filename: str, content_type: str, seconds: int = DOWNLOAD_SECONDS
) -> str:
    """Sign a link that saves the object under `filename`, for at most five minutes."""
    with translated(source):
        return clients.s3().generate_presigned_url(
            "get_object",
            Params={
                "Bucket": source.bucket,
                "Key": source.key,
                "ResponseContentDisposition": disposition(filename),
                "ResponseContentType": content_type,
            },
            ExpiresIn=min(seconds, DOWNLOAD_SECONDS),
        )


def disposition(filename: str) -> str:
    """Return the Content-Disposition that saves a file under a name from outside (RFC 6266)."""
    return str(content_disposition_header(as_attachment=True, filename=saved_name(filename)))


def saved_name(filename: str) -> str:
    """Return the name under which a file is saved that is called so outside.

    Control and direction-changing characters and path separators lose their power.
    """
    visible = "".join(c for c in filename if unicodedata.category(c)[0] not in "CZ" or c == " ")
    return re.sub(r'[/\\:*?"<>|]', "_", visible).strip(" .")[:150] or "download"


def head(at: Location) -> ObjectHead:
    """Return what S3 knows of an object; raises ObjectMissing."""
    with translated(at):
        found = clients.s3().head_object(Bucket=at.bucket, Key=at.key, ChecksumMode="ENABLED")
    etag = streams.named(at, found)
    checksum = found.get("ChecksumSHA256", "")
    # Of an object sent in parts S3 knows only a digest of digests ("...-3"); `streams` compared
    # the whole digest before it let the object appear, so the one written beside it holds.
    whole = to_hexadecimal(checksum) if checksum and "-" not in checksum else None
    return ObjectHead(
        size=found["ContentLength"],
        etag=etag,
        sha256=whole or found["Metadata"].get("sha256"),
        storage_class=found.get("StorageClass", "STANDARD"),
        restore=found.get("Restore"),
    )


def holds(at: Location, *, sha256: str, size: int) -> bool:
    """Tell whether exactly these bytes are there."""
    try:
        found = head(at)
    except ObjectMissing:
        return False
    return (found.sha256, found.size) == (sha256, size)


def read_start(source: Location, size: int = 65536, *, etag: str | None = None) -> bytes:
    """Return at most the first `size` bytes; with `etag`, only of that version."""
    with translated(source):
        try:
            return streams.open_object(source, etag=etag, first=size).read()
        except ClientError as error:
            if code_of(error) == "InvalidRange":  # an empty object has no first byte
                return b""
            raise


def fetch(
    source: Location,
    to: Path,
    *,
    size: int | None = None,
    etag: str | None = None,
    sha256: str | None = None,
) -> Stored:
    """Stream an object into the file `to`, which appears only once complete and as expected."""
    draft = to.with_name(f"{to.name}.part")
    try:
        fetched = _download(source, draft, etag)
        if size not in (None, fetched.size) or sha256 not in (None, fetched.sha256):
            raise ChecksumMismatch(f"{source}: not the bytes expected")
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)
    return fetched


def _download(source: Location, to: Path, etag: str | None) -> Stored:
    digest, size = hashlib.sha256(), 0
    with translated(source), to.open("wb") as file:
        for block in blocks(streams.open_object(source, etag=etag), MIB):
            digest.update(block)
            size += file.write(block)
    return Stored(source, size, digest.hexdigest())


def publish(path: Path, to: Location, *, single_put: int = SINGLE_PUT) -> Stored:
    """Upload a file; returns once S3 has confirmed its size and SHA-256."""
    stored = Stored(to, path.stat().st_size, sha256_of_file(path))
    with path.open("rb") as file:
        if stored.size > single_put:
            streams.upload(file, to, sha256=stored.sha256, size=stored.size)
        else:
            streams.put(file, to, sha256=stored.sha256)
    confirm(to, sha256=stored.sha256, size=stored.size)
    return stored


def confirm(at: Location, *, sha256: str, size: int) -> None:
    """Raise ChecksumMismatch unless S3 says that exactly these bytes are there."""
    if not holds(at, sha256=sha256, size=size):
        raise ChecksumMismatch(f"{at}: S3 does not hold the bytes that were sent")


def delete(locations: Iterable[Location]) -> None:
    """Delete objects; one that is not there is fine."""
    for bucket, found in groupby(sorted(locations, key=attrgetter("bucket")), attrgetter("bucket")):
        while batch := list(islice(found, 1000)):
            _delete_batch(bucket, [location.key for location in batch])


def _delete_batch(bucket: str, keys: list[str]) -> None:
    with translated(f"s3://{bucket}"):
        answer = clients.s3().delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
    for error in answer.get("Errors", []):
        raise kind_of(error["Code"], 0)(f"s3://{bucket}/{error['Key']}: {error['Code']}")


def keys_under(prefix: Location) -> Iterator[Location]:
    """Yield every object whose key starts with the prefix, however many there are."""
    pages = clients.s3().get_paginator("list_objects_v2")
    with translated(prefix):
        for page in pages.paginate(Bucket=prefix.bucket, Prefix=prefix.key):
            for found in page.get("Contents", []):
                yield Location(prefix.bucket, found["Key"])
