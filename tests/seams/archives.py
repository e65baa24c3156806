"""An archive of our protocol in a dictionary; how long a retrieval takes, the test says."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from gas.storage.archive import ArchiveState, Retrieval, Tier
from gas.storage.errors import ChecksumMismatch, NotThawed, ObjectMissing
from gas.storage.locations import Location
from tests.seams.fate import Fate
from tests.seams.storage import Storage, digest


class FakeArchive:
    """Copies by their receipt; one receipt per place, or a new one for every store."""

    def __init__(self, storage: Storage, fate: Fate, *, numbered: bool = False) -> None:
        self.copies: dict[str, bytes] = {}
        self.ages: dict[str, timedelta] = {}  # of copies that were not stored just now
        self.silent = False  # does not tell what it holds
        self.requests: list[str] = []
        self.offered = frozenset(Tier)
        self.polls = 0  # states that say "in progress" before a retrieval is ready
        self.lapsed: set[str] = set()
        self.fault: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None  # happens during a store
        self.before_delete: Callable[[str], None] = lambda receipt: None
        self._storage, self._fate, self._numbered = storage, fate, numbered
        self._waiting: dict[str, int] = {}
        self._stored = 0

    def store(self, source: Location, *, sha256: str, size: int) -> str:
        self._come("store")
        self.meanwhile()
        content = self._storage.kept.get(str(source))
        if content is None:
            raise ObjectMissing(str(source))
        if (digest(content), len(content)) != (sha256, size):
            raise ChecksumMismatch(str(source))
        self._stored += 1
        receipt = f"copy-{self._stored}" if self._numbered else f"archived:{source.key}"
        self.copies[receipt] = content
        return receipt

    def request_retrieval(self, archive_id: str, *, tier: Tier) -> Retrieval:
        self._come("request_retrieval")
        self.requests.append(archive_id)
        self._waiting.setdefault(archive_id, self.polls)
        self.lapsed.discard(archive_id)
        return Retrieval(f"retrieval of {archive_id}", tier)

    def state(self, archive_id: str, retrieval_id: str | None) -> ArchiveState:
        self._come("state")
        if archive_id not in self.copies:
            raise ObjectMissing(archive_id)
        if archive_id in self.lapsed:
            return ArchiveState.LOST
        if archive_id not in self._waiting:
            return ArchiveState.LOST if retrieval_id else ArchiveState.ARCHIVED
        if self._waiting[archive_id] > 0:
            self._waiting[archive_id] -= 1
            return ArchiveState.IN_PROGRESS
        return ArchiveState.READY

    def bring_back(
        self, archive_id: str, retrieval_id: str, to: Location, *, sha256: str, size: int
    ) -> None:
        self._come("bring_back")
        if archive_id not in self.copies:
            raise ObjectMissing(archive_id)
        if archive_id in self.lapsed or self._waiting.get(archive_id) != 0:
            raise NotThawed(archive_id)
        self._storage.kept[str(to)] = self.copies[archive_id]

    def delete(self, archive_id: str) -> None:
        self._come("delete")
        self.before_delete(archive_id)
        self.copies.pop(archive_id, None)

    def tiers(self) -> frozenset[Tier]:
        return self.offered

    def find(self, prefix: str, *, sha256: str, size: int) -> str | None:
        self._come("find")
        found = [
            at for at, held in self.copies.items() if (digest(held), len(held)) == (sha256, size)
        ]
        mine = sorted(at for at in found if at.startswith(f"archived:{prefix}"))
        return mine[0] if mine and not self.silent else None

    def receipts(self) -> Iterator[tuple[str, datetime]] | None:
        self._come("receipts")
        now = timezone.now()
        ages = [(receipt, self.ages.get(receipt, timedelta(0))) for receipt in sorted(self.copies)]
        return None if self.silent else iter([(receipt, now - age) for receipt, age in ages])

    def lapse(self) -> None:
        """Let every retrieval lapse."""
        self.lapsed = set(self._waiting)
        self._waiting = {}

    def give_all(self) -> None:
        """Let every retrieval under way be ready."""
        self._waiting = dict.fromkeys(self._waiting, 0)

    def _come(self, verb: str) -> None:
        self._fate.step(f"archive.{verb}")
        if self.fault:
            fault, self.fault = self.fault, None
            raise fault
