"""What lies in the buckets, page by page, and the parts of uploads that never ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gas.storage import clients, parts
from gas.storage.errors import translated
from gas.storage.locations import Location


@dataclass(frozen=True)
class Listed:
    """An object as a listing shows it."""

    location: Location
    modified_at: datetime


@dataclass(frozen=True)
class OpenUpload:
    """A multi-part upload that has begun and not ended."""

    location: Location
    id: str
    begun_at: datetime


def objects_of(bucket: str, prefix: str = "") -> Iterator[Listed]:
    """Yield every object of a bucket in the order of its key's bytes, a page in memory at a time.

    With `prefix`, those whose keys begin so.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    """
    pages = clients.s3().get_paginator("list_objects_v2")
    with translated(f"s3://{bucket}"):
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield Listed(Location(bucket, found["Key"]), found["LastModified"])


def open_uploads(bucket: str) -> Iterator[OpenUpload]:
    """Yield every multi-part upload of a bucket that nobody completed or aborted."""
    pages = clients.s3().get_paginator("list_multipart_uploads")
    with translated(f"s3://{bucket}"):
        for page in pages.paginate(Bucket=bucket):
            for found in page.get("Uploads", []):
                at = Location(bucket, found["Key"])
                yield OpenUpload(at, found["UploadId"], found["Initiated"])


def abort(upload: OpenUpload) -> None:
    """Destroy the parts of a multi-part upload; one that has ended meanwhile is fine."""
    parts.abort(upload.location, upload.id)
