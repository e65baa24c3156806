"""Jobs that programs ask for: of an upload or of the example, and again, once under each key."""

from dataclasses import dataclass
from functools import partial

from django.db.models import Max

from gas.models import Job, Upload, User
from gas.services import idempotency, jobs, reruns, uploads
from gas.services.jobs import JobRefused


@dataclass(frozen=True)
class Key:
    """What a sender calls a request, and the SHA-256 (hexadecimal) of what it asks."""

    name: str
    request: str


@dataclass(frozen=True)
class Wish:
    """What to annotate, the example without an upload; and the settings of the job."""

    upload: Upload | None
    name: str = ""
    bundle: str = ""
    notes: str = ""


def submit(*, owner: User, wish: Wish, key: Key | None) -> tuple[Job, bool]:
    """Queue a job, under a key once for all; returns it, and whether this request made it.

    Raises UploadRefused, JobRefused, KeyReused and KeySpent.
    """
    if made := key and idempotency.made_before(user=owner, key=key.name, request=key.request):
        return made, False
    upload = wish.upload or jobs.example_upload(owner=owner)
    try:
        uploads.check(upload=upload)  # asks storage, and so before any transaction
        job, new = _queued(owner, upload, wish, key)
    except JobRefused as refusal:
        if wish.upload is None:  # nobody comes back to this copy
            uploads.refuse(upload=upload, sentence=str(refusal))
        raise
    if wish.upload is None and job.upload_id != upload.pk:
        uploads.delete(upload=upload)
    return job, new


def _queued(owner: User, upload: Upload, wish: Wish, key: Key | None) -> tuple[Job, bool]:
    name = wish.name or ("" if wish.upload else "Example")
    make = partial(jobs.submit, upload=upload, name=name, bundle=wish.bundle, notes=wish.notes)
    if key is None:
        return make(), True
    return idempotency.once(user=owner, key=key.name, request=key.request, make=make)


def rerun(*, owner: User, job: Job, key: Key | None) -> tuple[Job, bool]:
    """Queue a job like this one; without a key, one that has not finished is the answer.

    Raises JobRefused, KeyReused and KeySpent.
    """
    if key is None:
        again = reruns.rerun(job=job, actor=owner)
        return again, True
    if made := idempotency.made_before(user=owner, key=key.name, request=key.request):
        return made, False
    newest = owner.jobs.filter(upload=job.upload_id).aggregate(newest=Max("pk"))["newest"] or 0
    make = partial(reruns.rerun, job=job, actor=owner, newest=newest)
    return idempotency.once(user=owner, key=key.name, request=key.request, make=make)
