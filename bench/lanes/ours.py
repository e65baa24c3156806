"""Our pipeline without its work: no child, no S3, no mail; the rows and messages stay.

What is left is what the service adds to bare Celery: claims, leases with their heartbeats, and
results, notices, receipts and discards as rows.
"""

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from annotator import child
from bench.lanes import app
from dev.waiting import until
from gas import mail
from gas.models import Job, ResultFile, Status, Upload, User
from gas.storage import objects, result_sets
from gas.storage.locations import Location, archived
from gas.storage.objects import Stored
from tasks import pipeline

__all__ = ["app"]

SECONDS = 600.0


class NoArchive:
    """An archive that takes everything at once and keeps nothing."""

    def store(self, source: Location, *, sha256: str, size: int) -> str:
        """Return the receipt of a copy that was not made."""
        return str(archived(source.key))


def _annotate(source: Path, outdir: Path, **_: Any) -> None:
    summary = ResultFile.NAMES[ResultFile.Kind.SUMMARY]
    (outdir / summary).write_text(json.dumps({"records_in": 1}))


def _publish(path: Path, to: Location) -> Stored:
    return Stored(to, 0, hashlib.sha256().hexdigest())


NO_WORK: list[tuple[Any, str, Any]] = [
    (child, "run", _annotate),
    (mail, "send", lambda notice: None),
    (objects, "delete", lambda locations: None),
    (objects, "keys_under", lambda prefix: []),
    (objects, "publish", _publish),
    (result_sets, "fetch_input", lambda job, to: None),
    (result_sets, "get_archive", NoArchive),
]
for module, name, nothing in NO_WORK:
    setattr(module, name, nothing)


def main(count: int) -> None:
    """Send a message for each of so many jobs, wait until all are archived, print the seconds."""
    jobs = [_job() for _ in range(count)]
    began = time.perf_counter()
    for job in jobs:
        pipeline.send(job)
    waiting = Job.objects.filter(pk__in=[job.pk for job in jobs]).exclude(status=Status.ARCHIVED)
    until(lambda: not waiting.exists(), "our chains", seconds=SECONDS)
    print(time.perf_counter() - began)


def _job() -> Job:
    """A queued job of an owner who has no other, so that nobody waits for a turn."""
    owner = User.objects.create_user(uuid4().hex)
    upload = Upload.objects.create(
        owner=owner, filename="x.vcf", status=Upload.Status.COMPLETE, size=1, etag='"e"'
    )
    job: Job = Job.objects.create(owner=owner, upload=upload, name="x", bundle="demo")
    return job


if __name__ == "__main__":
    main(int(sys.argv[1]))
