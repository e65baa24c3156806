"""What was deleted for good, told in S3 beside the database.

A database that is put back to an earlier moment has the rows again of what was deleted since. An
empty object for each deleted job and account tells so as long as backups are kept.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.conf import settings

from gas.storage import inventory, streams
from gas.storage.locations import Location, results

#: Where they lie in the bucket of results.
PREFIX = "deleted/"


class Buried(StrEnum):
    """What a tombstone is of."""

    JOB = "jobs"
    ACCOUNT = "accounts"


class Tombstone(NamedTuple):
    """One that was found: of which number, where it lies, and since when."""

    number: int
    place: Location
    at: datetime


def place_of(what: Buried, number: int) -> Location:
    """Where the tombstone of a job or an account lies."""
    return results(f"{PREFIX}{what}/{number}")


def write(at: Location) -> None:
    """Write one; again is fine."""
    streams.put(b"", at, sha256=hashlib.sha256(b"").hexdigest())


def every(what: Buried) -> Iterator[Tombstone]:
    """Yield those of jobs or of accounts, a page in memory at a time."""
    prefix = f"{PREFIX}{what}/"
    for found in inventory.objects_of(settings.BUCKETS["results"], prefix):
        number = found.location.key.removeprefix(prefix)
        if number.isascii() and number.isdigit():
            yield Tombstone(int(number), found.location, found.modified_at)
