"""How results were made, as the annotator wrote it down, and the key that tells who wrote it."""

import json
from functools import cache
from typing import Any

from django.conf import settings

from annotator import signing
from annotator.errors import InputRefused
from gas.models import Job, ResultFile
from gas.services import jobs
from gas.storage import objects
from gas.storage.locations import results


def document(*, job: Job) -> dict[str, Any]:
    """The provenance of a completed job; raises StorageError."""
    file = jobs.file_of(job, ResultFile.Kind.PROVENANCE)
    parsed: dict[str, Any] = json.loads(objects.read_start(results(file.key), file.size))
    return parsed


@cache
def public_key() -> bytes | None:
    """The PEM that this site serves for its signatures; None where none is configured."""
    return settings.PROVENANCE_PUBLIC_KEY.read_bytes() if settings.PROVENANCE_PUBLIC_KEY else None


def is_ours(found: dict[str, Any]) -> bool | None:
    """Whether the served key signed a document; None when it is not signed, or no key is served."""
    if settings.PROVENANCE_PUBLIC_KEY is None:
        return None
    try:
        signer = signing.signer(found)
    except InputRefused:
        return False
    return None if signer is None else signer == signing.public_key(settings.PROVENANCE_PUBLIC_KEY)
