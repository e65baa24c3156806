"""`python -m dev.local_vaults PORT`: moto's Glacier, made as strict as Amazon's.

Moto lacks uploads in parts, their checksums, and answers to ids that it does not know.
"""

import json
import re
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import JsonRESTError
from moto.glacier import urls
from moto.glacier.models import Vault
from moto.glacier.responses import GlacierResponse
from moto.server import main

from dev.children import HOST
from gas.storage.digests import TreeHash


class Refused(JsonRESTError):
    """An error answer with Amazon's code for it."""

    def __init__(self, error: str, status: int) -> None:
        self.code = status
        super().__init__(error, error)


@dataclass
class PartsUpload:
    """An upload in parts that has not been completed."""

    part_size: int
    description: str
    parts: dict[int, bytes] = field(default_factory=dict)


_uploads: dict[str, PartsUpload] = {}


class StrictVaults(GlacierResponse):
    """The verbs that moto lacks or answers too kindly."""

    @property
    def _vault(self) -> Vault:
        return self.glacier_backend.describe_vault(self._word_after("vaults"))

    def _word_after(self, word: str) -> str:
        words: list[str] = self.parsed_url.path.split("/")
        return words[words.index(word) + 1]

    def initiate_multipart_upload(self) -> TYPE_RESPONSE:
        """Begin an upload whose parts but the last have the size given."""
        size = int(self.headers["x-amz-part-size"])
        if size < 2**20 or size & (size - 1):
            raise Refused("InvalidParameterValueException", 400)
        upload_id = uuid.uuid4().hex
        _uploads[upload_id] = PartsUpload(size, self.headers["x-amz-archive-description"])
        return 201, {"x-amz-multipart-upload-id": upload_id}, ""

    def upload_multipart_part(self) -> TYPE_RESPONSE:
        """Take a part if its tree hash and place are right."""
        upload = _uploads.get(self._word_after("multipart-uploads"))
        if upload is None:
            raise Refused("ResourceNotFoundException", 404)
        first, last = map(int, re.findall(r"\d+", self.headers["Content-Range"]))
        tree_hash = _tree_hash(self.body)
        whole = last - first + 1 == len(self.body) <= upload.part_size
        if not whole or first % upload.part_size or tree_hash != self._given_hash:
            raise Refused("InvalidParameterValueException", 400)
        upload.parts[first] = self.body
        return 204, {"x-amz-sha256-tree-hash": tree_hash}, ""

    def complete_multipart_upload(self) -> TYPE_RESPONSE:
        """Make an archive of the parts if its size and tree hash are right."""
        upload_id = self._word_after("multipart-uploads")
        if upload_id not in _uploads:
            raise Refused("ResourceNotFoundException", 404)
        body = b"".join(part for _, part in sorted(_uploads[upload_id].parts.items()))
        tree_hash = _tree_hash(body)
        if (str(len(body)), tree_hash) != (self.headers["x-amz-archive-size"], self._given_hash):
            raise Refused("InvalidParameterValueException", 400)
        archive = self._vault.create_archive(body, _uploads.pop(upload_id).description)
        # Moto names archives by their bytes; equal files must not share one.
        archive_id = uuid.uuid4().hex
        self._vault.archives[archive_id] = self._vault.archives.pop(archive["archive_id"])
        return 201, {"x-amz-archive-id": archive_id, "x-amz-sha256-tree-hash": tree_hash}, ""

    def abort_multipart_upload(self) -> TYPE_RESPONSE:
        """Forget an upload."""
        _uploads.pop(self._word_after("multipart-uploads"), None)
        return 204, {}, ""

    def delete_archive(self) -> TYPE_RESPONSE:
        """Delete an archive that is there."""
        if self._vault.archives.pop(self._word_after("archives"), None) is None:
            raise Refused("ResourceNotFoundException", 404)
        return 204, {}, ""

    def initiate_job(self) -> TYPE_RESPONSE:
        """Start a retrieval of an archive that is there, at a speed there is capacity for."""
        wanted = json.loads(self.body)
        if wanted["ArchiveId"] not in self._vault.archives:
            raise Refused("ResourceNotFoundException", 404)
        if wanted["Tier"] == "Expedited" and self._vault.vault_name.startswith("busy"):
            raise Refused("InsufficientCapacityException", 503)
        return super().initiate_job()

    def describe_job(self) -> str:
        """Describe a job that is known."""
        job = self._vault.describe_job(self._word_after("jobs"))
        if job is None:
            raise Refused("ResourceNotFoundException", 404)
        return json.dumps(job.to_dict())

    @property
    def _given_hash(self) -> str:
        return str(self.headers["x-amz-sha256-tree-hash"])


def _tree_hash(body: bytes) -> str:
    tree = TreeHash()
    tree.add(body)
    return tree.hexdigest()


def serve(port: str) -> None:
    """Serve until told to stop."""
    dispatch: Callable[..., object] = StrictVaults.dispatch
    paths = [*urls.url_paths, "{0}/(?P<account_number>.+)/vaults/(?P<name>.+)/multipart-uploads$"]
    paths.append(f"{paths[-1].removesuffix('$')}/(?P<upload_id>.+)$")
    urls.url_paths = dict.fromkeys(paths, dispatch)
    main(["-H", HOST, "-p", port])


if __name__ == "__main__":
    serve(sys.argv[1])
