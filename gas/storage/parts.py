"""Uploads in parts that a browser sends by itself: each link is good for one part, bytes and all.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from gas.storage import clients
from gas.storage.digests import to_base64, to_hexadecimal
from gas.storage.errors import code_of, translated
from gas.storage.locations import Location

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

#: The most parts of an object.
MOST_PARTS = 10_000

#: Seconds in which the sending of a part must begin.
LINK_SECONDS = 900

#: What S3 says of parts that were put together, aborted, or never begun.
GONE = "NoSuchUpload"


@dataclass(frozen=True)
class Part:
    """A part that S3 holds; `sha256` is hexadecimal."""

    number: int
    size: int
    sha256: str
    etag: str


@dataclass(frozen=True)
class PresignedPut:
    """Where one part goes, and the headers that its request must have."""

    url: str
    headers: dict[str, str]


def begin(to: Location) -> str:
    """Begin an object whose parts all carry their SHA-256; returns S3's id of it."""
    with translated(to):
        begun = clients.s3().create_multipart_upload(
            Bucket=to.bucket,
            Key=to.key,
            ChecksumAlgorithm="SHA256",
            ContentType="application/octet-stream",
        )
    return begun["UploadId"]


def presign(to: Location, parts_id: str, *, number: int, size: int, sha256: str) -> PresignedPut:
    """Sign a link for one part of exactly these bytes, by their count and SHA-256 (hexadecimal)."""
    checksum = to_base64(sha256)
    with translated(to):
        url = clients.s3().generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": to.bucket,
                "Key": to.key,
                "UploadId": parts_id,
                "PartNumber": number,
                "ContentLength": size,
                "ChecksumSHA256": checksum,
            },
            ExpiresIn=LINK_SECONDS,
        )
    return PresignedPut(url, {"x-amz-checksum-sha256": checksum})


def arrived(at: Location, parts_id: str) -> list[Part] | None:
    """Return the parts that S3 holds, in order; None when they are one object by now, or gone."""
    pages = clients.s3().get_paginator("list_parts")
    with translated(at):
        try:
            return [
                Part(
                    number=found["PartNumber"],
                    size=found["Size"],
                    sha256=to_hexadecimal(found.get("ChecksumSHA256", "")),
                    etag=found["ETag"],
                )
                for page in pages.paginate(Bucket=at.bucket, Key=at.key, UploadId=parts_id)
                for found in page.get("Parts", [])
            ]
        except ClientError as error:
            if code_of(error) == GONE:
                return None
            raise


def assemble(at: Location, parts_id: str, held: list[Part]) -> None:
    """Make one object of parts; fine when somebody did so a moment ago.

    What lies at that place already is never replaced.
    """
    listed: list[CompletedPartTypeDef] = [
        {
            "PartNumber": part.number,
            "ETag": part.etag,
            "ChecksumSHA256": to_base64(part.sha256),
        }
        for part in held
    ]
    with translated(at):
        try:
            clients.s3().complete_multipart_upload(
                Bucket=at.bucket,
                Key=at.key,
                UploadId=parts_id,
                MultipartUpload={"Parts": listed},
                IfNoneMatch="*",
            )
        except ClientError as error:
            if code_of(error) not in {GONE, "PreconditionFailed"}:
                raise


def abort(at: Location, parts_id: str) -> None:
    """Destroy the parts of an object that never came to be; one that has ended is fine."""
    with translated(at):
        try:
            clients.s3().abort_multipart_upload(Bucket=at.bucket, Key=at.key, UploadId=parts_id)
        except ClientError as error:
            if code_of(error) != GONE:
                raise
