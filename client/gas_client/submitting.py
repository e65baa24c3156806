"""From a file of this machine to a job, once however often a broken call is repeated."""

import os
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gas_client.answers import document_of
from gas_client.errors import FileTrouble, NotThere, Refused, Unavailable
from gas_client.journal import Call, Journal
from gas_client.records import Arrived, JobFacts, Link, Signed, UploadFacts
from gas_client.source import Source
from gas_client.uploading import Ticket, Upload
from gas_client.wire import Wire

#: What is said of a key that makes no job any more.
SPENT = frozenset({"idempotency-key-spent", "idempotency-key-reused"})

Settings = Mapping[str, str]


class Submission:
    """One file, or the example, and the settings of its job."""

    def __init__(self, wire: Wire, journal: Journal, settings: Settings) -> None:
        self._wire, self._journal, self._settings = wire, journal, settings

    def of_file(self, path: Path) -> JobFacts:
        """Send what has not arrived of a file, and make a job of it."""
        source = Source.of(path)
        if not source.size:
            raise FileTrouble(f"{path} is empty.")
        call = self._begin("submit", str(path.resolve()), source.size, source.modified)
        ticket = self._going_on(call) or self._new(source)
        call = self._journal.note(call, upload=ticket.upload)
        if ticket.part_bytes:
            Upload(self._wire, source, ticket, partial(self._link, ticket.upload)).send()
        return self._job(call, {"upload": ticket.upload})

    def of_example(self) -> JobFacts:
        """Make a job of the example."""
        return self._job(self._begin("example"), {"example": True})

    def _begin(self, *what: str | int) -> Call:
        address = self._wire.profile.address
        return self._journal.begin(address, *what, *sorted(map(str, self._settings.items())))

    def _going_on(self, call: Call) -> Ticket | None:
        """Return what is left to send of the upload of a broken call; nothing if it is gone."""
        if not call.upload:
            return None
        path = f"/uploads/{call.upload}"
        try:
            upload = UploadFacts.of(self._wire.get(path))
            if upload.status == "complete":
                return Ticket(upload.id, 0, {})
            if upload.status != "pending":
                return None
            return _ticket(upload, self._wire.get(f"{path}/parts"))
        except NotThere:
            return None

    def _new(self, source: Source) -> Ticket:
        asked = {
            "filename": os.fsencode(source.path.name).decode(errors="replace"),
            "size": source.size,
            "first_bytes": source.first_bytes,
        }
        begun = self._wire.post("/uploads", asked)
        return _ticket(UploadFacts.of(begun), begun)

    def _link(self, upload: str, number: int, sha256: str) -> Link:
        asked = {"parts": [{"number": number, "sha256": sha256}]}
        answer = self._wire.ask("POST", f"/uploads/{upload}/parts", body=asked)
        (link,) = Signed.of(document_of(answer)).parts
        return link

    def _job(self, call: Call, of: Mapping[str, str | bool]) -> JobFacts:
        key = str(uuid.uuid5(uuid.UUID(call.key), call.upload))
        try:
            made = JobFacts.of(self._wire.post("/jobs", {**self._settings, **of}, key=key))
        except Refused as refusal:
            if refusal.kind in SPENT:
                self._journal.end(call)
            raise
        self._journal.end(call)
        return made


def _ticket(upload: UploadFacts, document: Any) -> Ticket:
    if not upload.part_size:
        raise Unavailable("The service takes no parts of this file.")
    arrived = {part.number: part.sha256 for part in Arrived.of(document).arrived}
    return Ticket(upload.id, upload.part_size, arrived)
