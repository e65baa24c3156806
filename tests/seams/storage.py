"""S3 as `gas.storage.objects` shows it, in a dictionary."""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from gas.storage import inventory, objects, parts, tombstones
from gas.storage.errors import ObjectMissing, ObjectReplaced
from gas.storage.inventory import Listed, OpenUpload
from gas.storage.locations import Location
from gas.storage.objects import ObjectHead, PresignedPost, Stored
from gas.storage.parts import Part, PresignedPut
from tests.seams.fate import Fate


class Storage:
    """Places and the bytes there; `fault` is what the next call raises."""

    def __init__(self, fate: Fate) -> None:
        self.kept: dict[str, bytes] = {}
        self.ages: dict[str, timedelta] = {}  # of objects that were not written just now
        self.parts: list[OpenUpload] = []
        self.coming: dict[str, dict[int, bytes]] = {}  # the parts of objects that are none yet
        self.deleted: list[str] = []
        self.tombstones: dict[str, timedelta] = {}  # how long ago they were written
        self.fault: Exception | None = None
        self.before_delete: Callable[[str], None] = lambda place: None
        self._fate = fate

    def stand_in(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of the functions of our module."""
        for name in ("delete", "fetch", "head", "keys_under", "presign_upload", "publish"):
            patch.setattr(objects, name, getattr(self, name))
        for name in ("abort", "objects_of", "open_uploads"):
            patch.setattr(inventory, name, getattr(self, name))
        patch.setattr(objects, "read_start", self.read_start)
        patch.setattr(tombstones, "write", self.bury)
        patch.setattr(parts, "begin", self.begin_parts)
        patch.setattr(parts, "abort", self.abort_parts)
        patch.setattr(parts, "presign", self.presign_part)
        for name in ("arrived", "assemble"):
            patch.setattr(parts, name, getattr(self, name))

    def fetch(
        self,
        source: Location,
        to: Path,
        *,
        size: int | None = None,
        etag: str | None = None,
        sha256: str | None = None,
    ) -> Stored:
        content = self._read("fetch", source)
        if etag not in (None, digest(content)):
            raise ObjectReplaced(str(source))
        to.write_bytes(content)
        return Stored(source, len(content), digest(content))

    def publish(self, path: Path, to: Location) -> Stored:
        self._come("publish")
        self.kept[str(to)] = path.read_bytes()
        return Stored(to, len(self.kept[str(to)]), digest(self.kept[str(to)]))

    def head(self, at: Location) -> ObjectHead:
        content = self._read("head", at)
        return ObjectHead(len(content), digest(content), digest(content), "STANDARD", None)

    def read_start(self, source: Location, size: int = 65536, *, etag: str | None = None) -> bytes:
        content = self._read("read_start", source)
        if etag not in (None, digest(content)):
            raise ObjectReplaced(str(source))
        return content[:size]

    def keys_under(self, prefix: Location) -> Iterator[Location]:
        self._come("keys_under")
        yield from [Location.parse(at) for at in self.kept if at.startswith(str(prefix))]

    def objects_of(self, bucket: str, prefix: str = "") -> Iterator[Listed]:
        self._come("objects_of")
        start, ages = f"s3://{bucket}/{prefix}", self.ages | self.tombstones
        held = [*self.kept, *self.tombstones]
        for place in sorted(at for at in held if at.startswith(start)):
            modified = timezone.now() - ages.get(place, timedelta(0))
            yield Listed(Location.parse(place), modified)

    def open_uploads(self, bucket: str) -> Iterator[OpenUpload]:
        yield from [parts for parts in self.parts if parts.location.bucket == bucket]

    def abort(self, upload: OpenUpload) -> None:
        self.parts.remove(upload)

    def delete(self, locations: Iterable[Location]) -> None:
        self._come("delete")
        for place in map(str, locations):
            self.before_delete(place)
            self.deleted.append(place)
            self.kept.pop(place, None)
            self.tombstones.pop(place, None)

    def bury(self, at: Location) -> None:
        self._come("bury")
        self.tombstones[str(at)] = timedelta(0)

    def presign_upload(
        self, to: Location, *, max_bytes: int, redirect: str | None = None
    ) -> PresignedPost:
        return PresignedPost("https://s3.example.org", {"key": to.key})

    def begin_parts(self, to: Location) -> str:
        self._come("begin_parts")
        parts_id = f"parts-{uuid.uuid4()}"
        self.coming[parts_id] = {}
        return parts_id

    def presign_part(
        self, to: Location, parts_id: str, *, number: int, size: int, sha256: str
    ) -> PresignedPut:
        return PresignedPut(f"https://s3.example.org/{to.key}?{number}", {"bytes": str(size)})

    def arrived(self, at: Location, parts_id: str) -> list[Part] | None:
        self._come("arrived")
        held = self.coming.get(parts_id)
        if held is None:
            return None
        return [Part(n, len(held[n]), digest(held[n]), digest(held[n])) for n in sorted(held)]

    def assemble(self, at: Location, parts_id: str, held: list[Part]) -> None:
        self._come("assemble")
        sent = self.coming.pop(parts_id, None)
        if sent is not None:
            self.kept.setdefault(str(at), b"".join(sent[part.number] for part in held))

    def abort_parts(self, at: Location, parts_id: str) -> None:
        self._come("abort_parts")
        self.coming.pop(parts_id, None)

    def under(self, prefix: str) -> dict[str, bytes]:
        """The objects of the results bucket below a prefix, by key."""
        start = f"s3://gas-results/{prefix}"
        return {
            at[len("s3://gas-results/") :]: kept
            for at, kept in self.kept.items()
            if at.startswith(start)
        }

    def _read(self, verb: str, at: Location) -> bytes:
        self._come(verb)
        if str(at) not in self.kept:
            raise ObjectMissing(str(at))
        return self.kept[str(at)]

    def _come(self, verb: str) -> None:
        self._fate.step(f"objects.{verb}")
        if self.fault:
            fault, self.fault = self.fault, None
            raise fault


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
