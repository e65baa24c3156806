"""Jobs: what they are made of, where they stand, and their files."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field

from gas.api.schemas.base import Flag, one_of, shown, strictly
from gas.models import ResultFile, Status

State = Annotated[Status, one_of(Status)]

_UPLOAD = "0b7e6d0e-6a55-4c8e-9d0f-3f7a3c1b2a10"
_JOB = {
    "id": 42,
    "status": "running",
    "name": "Trio 7",
    "notes": "",
    "bundle": "demo-grch38",
    "upload": _UPLOAD,
    "filename": "trio7.vcf.gz",
    "size": 48211,
    "stage": "annotate",
    "percent": 42,
    "variants": None,
    "failure": None,
    "is_at_rest": False,
    "is_stalled": False,
    "created_at": "2026-03-02T09:30:00Z",
    "completed_at": None,
    "archived_at": None,
    "archives_at": None,
    "page": "https://gas.example.org/jobs/42/",
}
_FILE = {
    "kind": "vcf",
    "name": "annotated.vcf.gz",
    "saved_as": "Trio 7.annotated.vcf.gz",
    "size": 5870,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "content_type": "application/gzip",
    "is_at_hand": True,
}


class NewJob(Schema):
    """What to annotate, and against what: either `upload` or `example`."""

    model_config = strictly(upload=_UPLOAD, name="Trio 7", bundle="demo-grch38")

    upload: UUID | None = Field(None, description="An upload whose bytes have arrived.")
    example: Flag = Field(False, description="Annotate the example file; no upload is needed.")
    name: str = Field("", max_length=200, description="Nothing means like its file.")
    bundle: str = Field(
        "",
        max_length=100,
        description="Name of an installed reference bundle; nothing means the first that fits.",
    )
    notes: str = Field("", max_length=2000, description="What to remember of it.")


class Job(Schema):
    """One VCF to annotate, from the queue to the archive and back."""

    model_config = shown(**_JOB)

    id: int
    status: State = Field(
        description="At rest: `queued`, `completed`, `failed`, `cancelled`, `archived`. "
        "In flight: `running`, `archiving`, `thawing`, `restoring`."
    )
    name: str
    notes: str
    bundle: str = Field(description="Name of its reference bundle.")
    upload: UUID = Field(description="The upload that it was made of.")
    filename: str = Field(description="As its owner called the file.")
    size: int | None = Field(description="Bytes of the file.")
    stage: str | None = Field(
        description="What the annotator is at while it runs: `sort`, `annotate`, `write`, `done`."
    )
    percent: int | None = Field(description="How far it is, while it runs.")
    variants: int | None = Field(description="Records of the input, once they are counted.")
    failure: str | None = Field(description="Why it failed, in a sentence.")
    is_at_rest: bool = Field(
        description="Whether nothing will change without a person or a timer: stop asking then."
    )
    is_stalled: bool = Field(description="Whether it rests until staff have mended a problem.")
    created_at: datetime
    completed_at: datetime | None = Field(description="When it ended, however it did.")
    archived_at: datetime | None = Field(description="When its results moved to the archive.")
    archives_at: datetime | None = Field(description="When its results move to the archive.")
    page: str = Field(description="Its page for people.")


class QueuePlace(Schema):
    """Where a queued job stands."""

    model_config = shown(before=3, wait_seconds=120)

    before: int = Field(description="Jobs that begin before it.")
    wait_seconds: int | None = Field(description="About how long that takes, if one can tell.")


class JobDetail(Job):
    """One job, and what only its own address tells."""

    model_config = shown(
        **_JOB,
        queue=None,
        held=None,
        retrieval_tier=None,
        rerun_obstacle="The job has not finished yet.",
    )

    queue: QueuePlace | None = Field(description="Its place while it is queued.")
    held: str | None = Field(
        description="Why it waits, in a sentence, while the operators have paused what it waits "
        "for or are at work on the service."
    )
    retrieval_tier: str | None = Field(
        description="While it comes back from the archive: `Expedited` takes 1 to 5 minutes, "
        "`Standard` 3 to 5 hours."
    )
    rerun_obstacle: str | None = Field(description="Why it cannot be run again, if it cannot.")


class JobPage(Schema):
    """Some jobs, newest first."""

    model_config = shown(items=[_JOB], next_cursor=None)

    items: list[Job]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page, if any.")


class Event(Schema):
    """One change of a job."""

    model_config = shown(id=7, at="2026-03-02T09:30:00Z", before="queued", after="running")

    id: int
    at: datetime
    before: State | None = Field(description="Nothing when it was made.")
    after: State = Field(description="The same as before when it was only taken up again.")


class EventPage(Schema):
    """Some of a job's changes, oldest first."""

    model_config = shown(
        items=[{"id": 7, "at": "2026-03-02T09:30:00Z", "before": "queued", "after": "running"}],
        next_cursor=None,
    )

    items: list[Event]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page, if any.")


class File(Schema):
    """One file of a job's results."""

    model_config = shown(**_FILE)

    kind: ResultFile.Kind
    name: str = Field(description="As the annotator calls it.")
    saved_as: str = Field(description="As a browser saves it.")
    size: int = Field(description="Bytes.")
    sha256: str = Field(description="SHA-256 of the whole file, hexadecimal.")
    content_type: str
    is_at_hand: bool = Field(description="Whether it can be downloaded: it is not in the archive.")


class FileList(Schema):
    """The files of a job's results; none before it is completed."""

    model_config = shown(items=[_FILE])

    items: list[File]


class FileLink(File):
    """A file and a link to its bytes, which takes ranges and needs no token."""

    model_config = shown(
        **_FILE, url="https://gas-results.s3.amazonaws.com/results/42/1/vcf", expires_in=300
    )

    url: str = Field(description="Where to GET it; send no Authorization header there.")
    expires_in: int = Field(description="Seconds for which the link is good.")
