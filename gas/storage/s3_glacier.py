"""The default archive: the S3 storage class GLACIER, in a bucket of its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from gas.storage import clients, inventory, objects, streams
from gas.storage.archive import ArchiveState, Retrieval, Tier
from gas.storage.digests import MIB
from gas.storage.errors import ChecksumMismatch, NotThawed, code_of, translated
from gas.storage.locations import Location, archived

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import StorageClassType

#: Days for which a retrieved copy stays readable: time for a restore that meets a bad week-end.
READABLE_DAYS = 3

_FROZEN = {"GLACIER", "DEEP_ARCHIVE"}
_EXPIRY = re.compile(r'expiry-date="([^"]+)"')


@dataclass(frozen=True)
class S3GlacierArchive:
    """Keeps copies under the same key in the archive bucket; a receipt is the copy's location."""

    single_copy: int = 5 * 1024 * MIB  # the most bytes that S3 copies in one request

    def store(self, source: Location, *, sha256: str, size: int) -> str:
        """Copy to GLACIER and verify, unless the copy is already there."""
        to = archived(source.key)
        if not objects.holds(to, sha256=sha256, size=size):
            self._copy(source, to, "GLACIER", sha256=sha256, size=size)
        return str(to)

    def request_retrieval(self, archive_id: str, *, tier: Tier) -> Retrieval:
        """Restore a temporary copy; one that is under way or there already is a success."""
        at = Location.parse(archive_id)
        with translated(at):
            if not _restore(at, tier):
                tier = Tier.STANDARD
                _restore(at, tier)
        return Retrieval(archive_id, tier)

    def state(self, archive_id: str, retrieval_id: str | None) -> ArchiveState:
        """Read HEAD's `x-amz-restore`: `ongoing-request="true"`, `"false"` with a date, or none.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        """
        found = objects.head(Location.parse(archive_id))
        if found.storage_class not in _FROZEN:
            return ArchiveState.READY
        if found.restore is None:
            return ArchiveState.LOST if retrieval_id else ArchiveState.ARCHIVED
        if 'ongoing-request="true"' in found.restore:
            return ArchiveState.IN_PROGRESS
        return ArchiveState.LOST if _has_expired(found.restore) else ArchiveState.READY

    def bring_back(
        self, archive_id: str, retrieval_id: str, to: Location, *, sha256: str, size: int
    ) -> None:
        """Copy to STANDARD and verify, unless that has been done."""
        if objects.holds(to, sha256=sha256, size=size):
            return
        if self.state(archive_id, retrieval_id) is not ArchiveState.READY:
            raise NotThawed(archive_id)
        self._copy(Location.parse(archive_id), to, "STANDARD", sha256=sha256, size=size)

    def delete(self, archive_id: str) -> None:
        """Delete the copy."""
        objects.delete([Location.parse(archive_id)])

    def tiers(self) -> frozenset[Tier]:
        """All that S3 has for its class GLACIER."""
        return frozenset(Tier)

    def find(self, prefix: str, *, sha256: str, size: int) -> str | None:
        """Look at each copy under the prefix; a copy bears the key of its source."""
        for at in objects.keys_under(archived(prefix)):
            if objects.holds(at, sha256=sha256, size=size):
                return str(at)
        return None

    def receipts(self) -> Iterator[tuple[str, datetime]]:
        """List the archive's bucket."""
        for found in inventory.objects_of(archived("").bucket):
            yield str(found.location), found.modified_at

    def _copy(
        self,
        source: Location,
        to: Location,
        storage_class: "StorageClassType",
        *,
        sha256: str,
        size: int,
    ) -> None:
        if size > self.single_copy:
            # Streamed rather than UploadPartCopy, which knows no digest of the whole file.
            with translated(source):
                body = streams.open_object(source)
            streams.upload(body, to, sha256=sha256, size=size, storage_class=storage_class)
        else:
            _copy_in_one(source, to, storage_class)
        try:
            objects.confirm(to, sha256=sha256, size=size)
        except ChecksumMismatch:
            objects.delete([to])
            raise


def _has_expired(restore: str) -> bool:
    """Whether the date is over until which a copy stays readable; S3 deletes it in its own time."""
    date = _EXPIRY.search(restore)
    return date is not None and parsedate_to_datetime(date[1]) <= datetime.now(UTC)


def _copy_in_one(source: Location, to: Location, storage_class: "StorageClassType") -> None:
    with translated(source):
        clients.s3().copy_object(
            Bucket=to.bucket,
            Key=to.key,
            CopySource={"Bucket": source.bucket, "Key": source.key},
            StorageClass=storage_class,
            ChecksumAlgorithm="SHA256",
        )


def _restore(at: Location, tier: Tier) -> bool:
    """Ask for a readable copy; False if Expedited retrievals are not to be had now."""
    try:
        # One attempt: botocore would repeat the 503 that means "not Expedited".
        clients.s3(attempts=1).restore_object(
            Bucket=at.bucket,
            Key=at.key,
            RestoreRequest={
                "Days": READABLE_DAYS,
                "GlacierJobParameters": {"Tier": tier.value},
            },
        )
    except ClientError as error:
        if code_of(error) == "GlacierExpeditedRetrievalNotAvailable":
            return False
        if code_of(error) != "RestoreAlreadyInProgress":
            raise
    return True
