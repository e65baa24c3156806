"""Where old results sleep: one protocol, one class per kind of archive.

Every verb may be repeated, after a crash on any line too: a second call finds what the first one
did. `archive_id` is the receipt that `store` returns; keep it, nothing else leads to the copy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from gas.storage.locations import Location


class Tier(StrEnum):
    """How quickly, and at what price, an archive copy is made readable."""

    EXPEDITED = "Expedited"  # 1-5 minutes
    STANDARD = "Standard"  # 3-5 hours
    BULK = "Bulk"  # 5-12 hours, the cheapest


class ArchiveState(StrEnum):
    """What the storage says of an archive copy; only it decides."""

    ARCHIVED = "archived"  # nobody asked for it
    IN_PROGRESS = "in progress"
    READY = "ready"  # can be brought back now
    LOST = "lost"  # the retrieval failed or lapsed: ask again; the copy itself is safe


@dataclass(frozen=True)
class Retrieval:
    """A retrieval under way: its id, and the tier that was granted."""

    id: str
    tier: Tier


class Archive(Protocol):
    """Takes result files out of S3's STANDARD class and brings them back."""

    def store(self, source: Location, *, sha256: str, size: int) -> str:
        """Copy `source`, verify the copy, return its receipt; raises ChecksumMismatch."""

    def request_retrieval(self, archive_id: str, *, tier: Tier) -> Retrieval:
        """Ask for the copy to be made readable; Standard where Expedited is not to be had."""

    def state(self, archive_id: str, retrieval_id: str | None) -> ArchiveState:
        """Ask the storage how far a retrieval is; raises ObjectMissing if the copy is gone."""

    def bring_back(
        self, archive_id: str, retrieval_id: str, to: Location, *, sha256: str, size: int
    ) -> None:
        """Copy a READY archive copy to `to` in STANDARD and verify it; raises NotThawed."""

    def delete(self, archive_id: str) -> None:
        """Delete the archive copy; one that is not there is fine."""

    def tiers(self) -> frozenset[Tier]:
        """The tiers at which it can be asked for a copy."""

    def find(self, prefix: str, *, sha256: str, size: int) -> str | None:
        """The receipt of a copy of exactly these bytes, made of a key that begins so, if known."""

    def receipts(self) -> Iterator[tuple[str, datetime]] | None:
        """Every receipt in the order of its bytes, and since when; None where that is unknown."""


@cache
def get_archive() -> Archive:
    """Return the archive that the settings name."""
    return cast("Archive", import_string(settings.ARCHIVE)())
