"""Bytes of any size into and out of S3, a bounded piece at a time."""

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import IO, TYPE_CHECKING

from gas.storage import clients
from gas.storage.digests import MIB, Readable, blocks, to_base64
from gas.storage.errors import ChecksumMismatch, StorageError, StorageUnavailable, translated
from gas.storage.locations import Location

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.literals import StorageClassType
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, GetObjectRequestTypeDef

#: Bytes held in memory at a time; 10,000 parts of it, S3's most, are 156 GiB.
PART = 16 * MIB


def open_object(
    source: Location, *, etag: str | None = None, first: int | None = None
) -> "StreamingBody":
    """Open an object, or its `first` bytes; with `etag`, only if it is still that version.

    Opening and reading both fail in botocore's ways: the caller has them `translated`.
    """
    request: GetObjectRequestTypeDef = {"Bucket": source.bucket, "Key": source.key}
    if etag:
        request["IfMatch"] = etag
    if first:
        request["Range"] = f"bytes=0-{first - 1}"
    answer = clients.s3().get_object(**request)
    named(source, answer, etag)
    return answer["Body"]


def named(at: Location, answer: Mapping[str, object], etag: str | None = None) -> str:
    """Return the entity tag in an answer about an object.

    A success without it, or with another than `etag`, is not S3's, whatever its body is: something
    on the way has answered, and somebody's file must not be judged by it. StorageUnavailable.
    """
    found = str(answer.get("ETag", ""))
    if not found or etag not in (None, "", found):
        raise StorageUnavailable(f"{at}: answered by something that is not S3")
    return found


def put(body: IO[bytes] | bytes, to: Location, *, sha256: str) -> None:
    """Upload in one request; S3 refuses other bytes than those of `sha256` (hexadecimal)."""
    with translated(to):
        clients.s3().put_object(
            Bucket=to.bucket,
            Key=to.key,
            Body=body,
            ChecksumSHA256=to_base64(sha256),
            Metadata={"sha256": sha256},
        )


def upload(
    source: Readable,
    to: Location,
    *,
    sha256: str,
    size: int,
    storage_class: "StorageClassType" = "STANDARD",
    part: int = PART,
) -> None:
    """Upload in parts; the object appears only if all its bytes are those of `sha256`."""
    with translated(to), ExitStack() as undo:
        upload_id = clients.s3().create_multipart_upload(
            Bucket=to.bucket,
            Key=to.key,
            ChecksumAlgorithm="SHA256",
            StorageClass=storage_class,
            Metadata={"sha256": sha256},
        )["UploadId"]
        undo.callback(_abort, to, upload_id)
        digest, sent, parts = hashlib.sha256(), 0, []
        for number, block in enumerate(blocks(source, part), 1):
            digest.update(block)
            sent += len(block)
            parts.append(_send_part(to, upload_id, number, block))
        if (digest.hexdigest(), sent) != (sha256, size):
            raise ChecksumMismatch(f"{to}: the stream had other bytes than expected")
        clients.s3().complete_multipart_upload(
            Bucket=to.bucket, Key=to.key, UploadId=upload_id, MultipartUpload={"Parts": parts}
        )
        undo.pop_all()


def _send_part(to: Location, upload_id: str, number: int, block: bytes) -> "CompletedPartTypeDef":
    checksum = to_base64(hashlib.sha256(block).hexdigest())
    sent = clients.s3().upload_part(
        Bucket=to.bucket,
        Key=to.key,
        UploadId=upload_id,
        PartNumber=number,
        Body=block,
        ChecksumSHA256=checksum,
    )
    return {"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": checksum}


def _abort(to: Location, upload_id: str) -> None:
    # Parts that stay behind all the same are removed by the bucket's lifecycle rule.
    with suppress(StorageError), translated(to):
        clients.s3().abort_multipart_upload(Bucket=to.bucket, Key=to.key, UploadId=upload_id)
