"""The archive of accounts that still have Amazon Glacier vaults (closed to new customers).

A vault cannot be asked what it holds, so an upload whose receipt was never kept stays behind; its
description names the file and its digest, for the vault's daily inventory.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from django.conf import settings

from gas.storage import clients, objects, streams
from gas.storage.archive import ArchiveState, Retrieval, Tier
from gas.storage.digests import TreeHash, blocks
from gas.storage.errors import (
    ChecksumMismatch,
    NotThawed,
    ObjectMissing,
    StorageError,
    code_of,
    translated,
)
from gas.storage.locations import Location

if TYPE_CHECKING:
    from mypy_boto3_glacier.type_defs import GlacierJobDescriptionTypeDef

#: No Expedited capacity, or a policy against its price; when Standard is refused for the same, the
#: archive is asked again later.
#: https://docs.aws.amazon.com/amazonglacier/latest/dev/api-initiate-job-post.html
_NOT_AT_THIS_TIER = frozenset({"InsufficientCapacityException", "PolicyEnforcedException"})

_STATES = {
    "InProgress": ArchiveState.IN_PROGRESS,
    "Succeeded": ArchiveState.READY,
    "Failed": ArchiveState.LOST,
}


@dataclass(frozen=True)
class GlacierVaultArchive:
    """Keeps copies in one vault; a receipt is the vault's name and Glacier's archive id."""

    vault: str = field(default_factory=lambda: settings.GLACIER_VAULT)
    part: int = streams.PART  # whole MiBs, a power of two; Glacier takes 10,000 parts

    def store(self, source: Location, *, sha256: str, size: int) -> str:
        """Upload in parts, each checked by Glacier; completed only if all bytes are as expected."""
        with translated(source), ExitStack() as undo:
            upload_id = self._begin(f"{source} {sha256}")
            undo.callback(self._abort, upload_id)
            tree = self._send_parts(upload_id, source, sha256=sha256, size=size)
            answer = clients.glacier().complete_multipart_upload(
                vaultName=self.vault,
                uploadId=upload_id,
                archiveSize=str(size),
                checksum=tree,
            )
            undo.pop_all()
        return f"{self.vault}/{answer['archiveId']}"

    def request_retrieval(self, archive_id: str, *, tier: Tier) -> Retrieval:
        """Start a retrieval job, unless one is under way or its result still there."""
        vault, archive = _parse(archive_id)
        with translated(archive_id):
            for job in _jobs(vault, archive):
                return Retrieval(job["JobId"], Tier(job["Tier"]))
            try:
                job_id = _start_job(vault, archive, tier)
            except ClientError as error:
                if code_of(error) not in _NOT_AT_THIS_TIER:
                    raise
                tier = Tier.STANDARD
                job_id = _start_job(vault, archive, tier)
        return Retrieval(job_id, tier)

    def state(self, archive_id: str, retrieval_id: str | None) -> ArchiveState:
        """Ask how the retrieval job fares; Glacier forgets it a day after it succeeded."""
        if not retrieval_id:
            return ArchiveState.ARCHIVED
        vault, _ = _parse(archive_id)
        try:
            with translated(archive_id):
                job = clients.glacier().describe_job(vaultName=vault, jobId=retrieval_id)
        except ObjectMissing:
            return ArchiveState.LOST
        return _STATES[job["StatusCode"]]

    def bring_back(
        self, archive_id: str, retrieval_id: str, to: Location, *, sha256: str, size: int
    ) -> None:
        """Stream the job's output to S3, where it appears only if it has the bytes expected."""
        if objects.holds(to, sha256=sha256, size=size):
            return
        if self.state(archive_id, retrieval_id) is not ArchiveState.READY:
            raise NotThawed(archive_id)
        vault, _ = _parse(archive_id)
        with translated(archive_id):
            output = clients.glacier().get_job_output(vaultName=vault, jobId=retrieval_id)
        streams.upload(output["body"], to, sha256=sha256, size=size)
        objects.confirm(to, sha256=sha256, size=size)

    def delete(self, archive_id: str) -> None:
        """Delete the archive."""
        vault, archive = _parse(archive_id)
        with suppress(ObjectMissing), translated(archive_id):
            clients.glacier().delete_archive(vaultName=vault, archiveId=archive)

    def tiers(self) -> frozenset[Tier]:
        """All that Glacier has."""
        return frozenset(Tier)

    def find(self, prefix: str, *, sha256: str, size: int) -> str | None:
        """Unknown here: a vault's inventory takes hours to ask for."""
        return None

    def receipts(self) -> None:
        """A vault's inventory takes hours to ask for, and is a day old by then."""

    def _begin(self, description: str) -> str:
        return clients.glacier().initiate_multipart_upload(
            vaultName=self.vault,
            archiveDescription=description[-1024:],
            partSize=str(self.part),
        )["uploadId"]

    def _send_parts(self, upload_id: str, source: Location, *, sha256: str, size: int) -> str:
        """Upload the bytes of `source` and return their tree hash; raises ChecksumMismatch."""
        tree, digest, sent = TreeHash(), hashlib.sha256(), 0
        for block in blocks(streams.open_object(source), self.part):
            tree.add(block)
            digest.update(block)
            clients.glacier().upload_multipart_part(  # botocore adds the part's own tree hash
                vaultName=self.vault,
                uploadId=upload_id,
                range=f"bytes {sent}-{sent + len(block) - 1}/*",
                body=block,
            )
            sent += len(block)
        if (digest.hexdigest(), sent) != (sha256, size):
            raise ChecksumMismatch(f"{source}: not the bytes expected")
        return tree.hexdigest()

    def _abort(self, upload_id: str) -> None:
        # One that stays behind all the same is dropped by Glacier after a day.
        with suppress(StorageError), translated(self.vault):
            clients.glacier().abort_multipart_upload(vaultName=self.vault, uploadId=upload_id)


def _parse(archive_id: str) -> tuple[str, str]:
    vault, _, archive = archive_id.partition("/")
    return vault, archive


def _jobs(vault: str, archive: str) -> "Iterator[GlacierJobDescriptionTypeDef]":
    """Yield the retrieval jobs of an archive that are under way or have succeeded."""
    for page in (
        clients.glacier().get_paginator("list_jobs").paginate(accountId="-", vaultName=vault)
    ):
        for job in page["JobList"]:
            if job.get("ArchiveId") == archive and job["StatusCode"] != "Failed":
                yield job


def _start_job(vault: str, archive: str, tier: Tier) -> str:
    # One attempt: botocore would repeat the 503 that means "not Expedited".
    return clients.glacier(attempts=1).initiate_job(
        vaultName=vault,
        jobParameters={"Type": "archive-retrieval", "ArchiveId": archive, "Tier": tier.value},
    )["jobId"]
