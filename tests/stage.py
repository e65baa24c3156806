"""Jobs in every state, as their histories would have made them, and a shelf in place of S3."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from django.utils import timezone

from gas.models import Job, JobEvent, ResultFile, Status, Upload, User
from gas.storage import clients, objects, parts, tombstones
from gas.storage.errors import ObjectMissing
from gas.storage.locations import Location, inputs, results
from gas.storage.objects import ObjectHead
from gas.storage.parts import Part
from gas.storage.ranges import RangedObject
from tests.tables import a_row, parquet

_DONE = [Status.QUEUED, Status.RUNNING, Status.COMPLETED]
_PUT_AWAY = [*_DONE, Status.ARCHIVING, Status.ARCHIVED]

#: How a job comes to be in each state.
WAYS: dict[Status, list[Status]] = {
    Status.QUEUED: [Status.QUEUED],
    Status.RUNNING: [Status.QUEUED, Status.RUNNING],
    Status.COMPLETED: _DONE,
    Status.FAILED: [Status.QUEUED, Status.RUNNING, Status.FAILED],
    Status.CANCELLED: [Status.QUEUED, Status.CANCELLED],
    Status.ARCHIVING: [*_DONE, Status.ARCHIVING],
    Status.ARCHIVED: _PUT_AWAY,
    Status.THAWING: [*_PUT_AWAY, Status.THAWING],
    Status.RESTORING: [*_PUT_AWAY, Status.THAWING, Status.RESTORING],
}

#: Seconds between two steps.
STEP = 37

_SUMMARY: dict[str, Any] = {
    "records_in": 2,
    "alleles": 3,
    "annotated": 2,
    "flagged": {"symbolic": 1, "star": 0},
    "classes": {"snv": 2, "ins": 0, "del": 0, "mnv": 0, "other": 1},
    "ti": 2,
    "tv": 1,
    "known": 1,
    "novel": 1,
    "clinvar": {"Likely_benign": 1},
    "filters": {"PASS": 2, "q10;s50": 1},
    "impacts": {"HIGH": 1, "MODERATE": 1, "LOW": 0, "MODIFIER": 0},
    "consequences": {"stop_gained": 1, "missense_variant": 1},
    "genes": [{"gene": "PDIA2", "alleles": 2}],
    "preview": [
        {
            "contig": "chr16",
            "pos": 284492,
            "ref": "G",
            "alt": "A",
            "gene": "PDIA2",
            "consequence": "missense_variant",
            "amino_acid_change": "102G>102E",
        }
    ],
}

#: The one row of the small annotation's table.
SEEN = a_row(
    contig="chr16",
    position=284492,
    ref="G",
    alt="A",
    gene="PDIA2",
    consequence="missense_variant",
    impact="MODERATE",
    amino_acid_change="102G>102E",
    filter="PASS",
)

#: What a small annotation writes.
OUTPUTS: dict[str, bytes] = {
    ResultFile.Kind.VCF: b"\x1f\x8b" + 5868 * b"v",
    ResultFile.Kind.INDEX: b"\x1f\x8b" + 250 * b"i",
    ResultFile.Kind.TSV: b"\x1f\x8b" + 1200 * b"t",
    ResultFile.Kind.PARQUET: parquet([SEEN]),
    ResultFile.Kind.SKIPPED: b"contig\tposition\tid\tref\talt\treason\n",
    ResultFile.Kind.SUMMARY: json.dumps(_SUMMARY).encode(),
    ResultFile.Kind.LOG: b"Variants\n  records in  2\n",
    ResultFile.Kind.PROVENANCE: b"{}",
}


@dataclass
class Shelf:
    """What S3 holds, by location."""

    held: dict[Location, bytes] = field(default_factory=dict)
    coming: dict[str, dict[int, bytes]] = field(default_factory=dict)  # parts, by S3's id

    def head(self, at: Location) -> ObjectHead:
        """Stand in for `objects.head`."""
        if at not in self.held:
            raise ObjectMissing(str(at))
        return ObjectHead(len(self.held[at]), '"e"', None, "STANDARD", None)

    def read_start(self, source: Location, size: int = 65536, *, etag: str | None = None) -> bytes:
        """Stand in for `objects.read_start`."""
        self.head(source)
        return self.held[source][:size]

    def read_range(self, source: RangedObject, start: int, length: int) -> bytes:
        """Stand in for `RangedObject.read`."""
        self.head(source.at)
        return self.held[source.at][start : start + length]

    def keys_under(self, prefix: Location) -> Iterator[Location]:
        """Stand in for `objects.keys_under`."""
        yield from [at for at in self.held if str(at).startswith(str(prefix))]

    def delete(self, locations: Iterable[Location]) -> None:
        """Stand in for `objects.delete`."""
        for at in locations:
            self.held.pop(at, None)

    def begin_parts(self, to: Location) -> str:
        """Stand in for `parts.begin`."""
        parts_id = f"parts-{len(self.coming)}"
        self.coming[parts_id] = {}
        return parts_id

    def arrived(self, at: Location, parts_id: str) -> list[Part] | None:
        """Stand in for `parts.arrived`."""
        held = self.coming.get(parts_id)
        if held is None:
            return None
        digests = {number: hashlib.sha256(held[number]).hexdigest() for number in sorted(held)}
        return [Part(number, len(held[number]), told, told) for number, told in digests.items()]

    def assemble(self, at: Location, parts_id: str, held: list[Part]) -> None:
        """Stand in for `parts.assemble`."""
        sent = self.coming.pop(parts_id)
        self.held[at] = b"".join(sent[part.number] for part in held)

    def abort_parts(self, at: Location, parts_id: str) -> None:
        """Stand in for `parts.abort`."""
        self.coming.pop(parts_id, None)

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take S3's place; links are signed with made-up credentials, which needs no network."""
        monkeypatch.setattr(objects, "head", self.head)
        monkeypatch.setattr(objects, "read_start", self.read_start)
        monkeypatch.setattr(objects, "delete", self.delete)
        monkeypatch.setattr(objects, "keys_under", self.keys_under)
        monkeypatch.setattr(RangedObject, "read", lambda source, *of: self.read_range(source, *of))
        monkeypatch.setattr(tombstones, "write", lambda at: None)
        monkeypatch.setattr(parts, "begin", self.begin_parts)
        monkeypatch.setattr(parts, "arrived", self.arrived)
        monkeypatch.setattr(parts, "assemble", self.assemble)
        monkeypatch.setattr(parts, "abort", self.abort_parts)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
        monkeypatch.setattr(clients, "s3", _signing)

    def take_in(self, upload: Upload, content: bytes) -> None:
        """Let the bytes of an upload arrive."""
        self.held[inputs(upload.key)] = content


_UNSIGNED = clients.s3.__wrapped__


@cache
def _signing(*limits: float, **named: float) -> Any:
    """A client that was made with the credentials above; the process's own may have none."""
    return _UNSIGNED(*limits, **named)


def job_in(
    status: Status,
    *,
    owner: User,
    shelf: Shelf,
    name: str = "Trio 7",
    filename: str = "trio7.vcf.gz",
    outputs: dict[str, bytes] = OUTPUTS,
    ago: timedelta = timedelta(minutes=9),
    **changes: Any,
) -> Job:
    """Make a job in one state, with the events, files and dates that belong to it."""
    upload = Upload.objects.create(
        owner=owner, filename=filename, size=48_211, status=Upload.Status.COMPLETE, etag='"e"'
    )
    start = timezone.now() - ago
    dates = _dates(status, start, owner)
    row = {"owner": owner, "upload": upload, "name": name, "bundle": "demo-grch38"}
    job = Job.objects.create(**row, status=status, created_at=start, **{**dates, **changes})
    _write_history(job, start)
    if Status.COMPLETED in WAYS[status]:
        _write_files(job, shelf, outputs)
    return job


def _dates(status: Status, start: datetime, owner: User) -> dict[str, Any]:
    way = WAYS[status]
    dates: dict[str, Any] = {"wake_at": None}
    if status in (Status.QUEUED, Status.RUNNING):
        dates["wake_at"] = start
    if status == Status.RUNNING:
        first, second = (start + timedelta(seconds=STEP + after) for after in (2, 5))
        stages = [["sort", first.isoformat()], ["annotate", second.isoformat()]]
        dates |= {"stage": "annotate", "percent": 42, "stages": stages}
    if Status.COMPLETED in way:
        dates |= {"completed_at": start + timedelta(seconds=2 * STEP), "result_prefix": "results/"}
    if Status.ARCHIVED in way:
        dates["archived_at"] = start + timedelta(seconds=4 * STEP)
    if status == Status.COMPLETED and owner.retention:
        dates["wake_at"] = timezone.now() + timedelta(minutes=4, seconds=12)
    if status == Status.FAILED:
        dates |= {"failure": "Line 12 has only 7 columns.", "completed_at": timezone.now()}
    return dates


def _write_history(job: Job, start: datetime) -> None:
    before = ""
    for number, after in enumerate(WAYS[job.state]):
        at = start + timedelta(seconds=number * STEP)
        JobEvent.objects.create(job=job, actor="somebody", before=before, after=after, at=at)
        before = after


def _write_files(job: Job, shelf: Shelf, outputs: dict[str, bytes]) -> None:
    asleep = job.state in (Status.ARCHIVED, Status.THAWING, Status.RESTORING)
    for kind, content in outputs.items():
        away = asleep and kind in ResultFile.ARCHIVED_KINDS
        row = ResultFile(job=job, kind=kind, key=f"results/{job.pk}/1/{kind}", size=len(content))
        row.sha256 = f"{job.pk:x}{ord(kind[0]):x}".ljust(64, "5")
        row.archive_id = "a-receipt" if away else ""
        row.retrieval_tier = "Expedited" if away and job.state == Status.THAWING else ""
        row.save()
        shelf.held[results(row.key)] = content
