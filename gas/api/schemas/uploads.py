"""Uploads: bytes go to S3 by signed links, never through the API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field

from gas.api.schemas.base import Whole, one_of, shown, strictly
from gas.models import Upload as UploadRow
from gas.storage.parts import MOST_PARTS

#: Links for parts that are signed at once.
MOST_SIGNED = 100

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hexadecimal.")]

_ID = "0b7e6d0e-6a55-4c8e-9d0f-3f7a3c1b2a10"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_UPLOAD = {
    "id": _ID,
    "status": "pending",
    "filename": "trio7.vcf.gz",
    "size": None,
    "assembly": None,
    "refusal": None,
    "job": None,
    "announced_size": 41943040,
    "part_size": 16777216,
    "parts": 3,
    "created_at": "2026-03-02T09:30:00Z",
    "expires_at": "2026-03-03T09:30:00Z",
}


class NewUpload(Schema):
    """A file that is about to be sent: with `size` and `first_bytes` in parts, else in one form."""

    model_config = strictly(filename="trio7.vcf.gz", size=41943040, first_bytes=_DIGEST)

    filename: str = Field(
        "input.vcf", max_length=300, description="As people know it; its path is left out."
    )
    size: Whole | None = Field(
        None, ge=1, le=2**63 - 1, description="Bytes of the whole file, to send it in parts."
    )
    first_bytes: Sha256 | None = Field(
        None,
        description="SHA-256, hexadecimal, of the file's first 64 KiB, by which an upload that "
        "broke off is known again. Sent together with `size`.",
    )


class Upload(Schema):
    """One input file on its way to a job."""

    model_config = shown(**_UPLOAD)

    id: UUID
    status: Annotated[UploadRow.Status, one_of(UploadRow.Status)] = Field(
        description="`pending`: bytes may arrive. `complete`: looked at, and good for a job. "
        "`refused`: `refusal` says why, and the bytes are gone."
    )
    filename: str = Field(description="The last part of the name that was sent.")
    size: int | None = Field(description="Bytes, once the file is complete.")
    assembly: str | None = Field(description="As the lengths of its contigs say, if they do.")
    refusal: str | None = Field(description="Why the file is no good, in a sentence.")
    job: int | None = Field(description="The newest job that was made of it.")
    announced_size: int | None = Field(description="Bytes that will come, of one in parts.")
    part_size: int | None = Field(description="Bytes of each part but the last.")
    parts: int = Field(description="How many parts there are to send; 0 when it comes in a form.")
    created_at: datetime
    expires_at: datetime | None = Field(
        description="When it goes unless another part arrives or a job is made of it."
    )


class UploadForm(Schema):
    """A form that takes the whole file: multipart/form-data, the file last, in the field `file`."""

    model_config = shown(
        url="https://gas-inputs.s3.amazonaws.com/",
        fields={"key": "inputs/12/0b7e/input.vcf"},
        max_bytes=52428800,
    )

    url: str = Field(description="Where to POST it, within an hour.")
    fields: dict[str, str] = Field(description="Fields that the form must carry before the file.")
    max_bytes: int = Field(description="The largest file that it takes.")


class Part(Schema):
    """One part that S3 holds."""

    model_config = shown(number=1, size=16777216, sha256=_DIGEST)

    number: int = Field(description="From 1.")
    size: int = Field(description="Bytes.")
    sha256: str = Field(description="SHA-256, hexadecimal.")


class BegunUpload(Upload):
    """A new upload and how to send its bytes, or one that broke off and goes on."""

    model_config = shown(**_UPLOAD, form=None, arrived=[])

    form: UploadForm | None = Field(description="Of one that does not come in parts.")
    arrived: list[Part] = Field(description="Parts that need not be sent again.")


class UploadPage(Schema):
    """Uploads that are no jobs yet, newest first, 100 at most."""

    model_config = shown(items=[_UPLOAD])

    items: list[Upload]


class UploadParts(Schema):
    """What of an upload in parts has arrived."""

    model_config = shown(
        part_size=16777216,
        parts=3,
        arrived=[{"number": 1, "size": 16777216, "sha256": _DIGEST}],
    )

    part_size: int | None = Field(description="Bytes of each part but the last.")
    parts: int = Field(description="How many there are to send.")
    arrived: list[Part] = Field(
        description="In the order of their numbers; none when they have been put together."
    )


class PartToSign(Schema):
    """A part that is about to be sent."""

    model_config = strictly(number=2, sha256=_DIGEST)

    number: Whole = Field(ge=1, le=MOST_PARTS, description="From 1.")
    sha256: Sha256


class PartsToSign(Schema):
    """Parts that are about to be sent."""

    model_config = strictly(parts=[{"number": 2, "sha256": _DIGEST}])

    parts: list[PartToSign] = Field(min_length=1, max_length=MOST_SIGNED)


class SignedPart(Schema):
    """Where one part goes."""

    model_config = shown(
        number=2,
        size=16777216,
        url="https://gas-inputs.s3.amazonaws.com/inputs/12/0b7e/input.vcf?partNumber=2",
        headers={"x-amz-checksum-sha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="},
    )

    number: int
    size: int = Field(description="Bytes that the link takes, no fewer and no more.")
    url: str = Field(description="Where to PUT exactly these bytes, within 15 minutes.")
    headers: dict[str, str] = Field(description="Headers that the PUT must have.")


class SignedParts(Schema):
    """Where the parts go."""

    model_config = shown(
        parts=[
            {
                "number": 2,
                "size": 16777216,
                "url": "https://gas-inputs.s3.amazonaws.com/inputs/12/0b7e/input.vcf?partNumber=2",
                "headers": {
                    "x-amz-checksum-sha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="
                },
            }
        ]
    )

    parts: list[SignedPart]
