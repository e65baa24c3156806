"""A file that comes in pieces: its bytes under a name of their own, and which pieces are there."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gas_client.errors import FileTrouble
from gas_client.places import write_private

#: Bytes of a piece, and bytes that are held at a time.
PIECE, CHUNK = 8 << 20, 1 << 20


@dataclass
class Partial:
    """What is there of a file of known size and SHA-256 (hexadecimal), across breaks.

    `etag` is the storage's name for the bytes that the pieces are of.
    """

    target: Path
    size: int
    sha256: str
    etag: str = ""
    done: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def content(self) -> Path:
        """The bytes so far."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def notes(self) -> Path:
        """Which of them are there."""
        return self.target.with_name(f"{self.target.name}.part.json")

    @property
    def pieces(self) -> range:
        """The numbers of all pieces."""
        return range(-(-self.size // PIECE))

    def bounds(self, piece: int) -> tuple[int, int]:
        """Return the first byte of a piece and its size."""
        start = piece * PIECE
        return start, min(PIECE, self.size - start)

    def open(self) -> None:
        """Go on with the pieces of the same file, or begin with none."""
        with on_disk(self.target):
            self.target.parent.mkdir(parents=True, exist_ok=True)
            if not self._resumed():
                self.begin_again("")

    def begin_again(self, etag: str) -> None:
        """Forget every piece; what comes is named `etag` by the storage."""
        with on_disk(self.target):
            self.etag, self.done = etag, set()
            with self.content.open("wb") as file:
                file.truncate(self.size)
            self._write_notes()

    def add(self, piece: int) -> None:
        """Write down that a piece is on the disk."""
        with self._lock, on_disk(self.target):
            self.done.add(piece)
            self._write_notes()

    def finish(self) -> None:
        """Compare all bytes and give them their name; FileTrouble when they are the wrong ones."""
        with on_disk(self.target):
            right = digest_of(self.content) == self.sha256
            if right:
                self.content.replace(self.target)
            self.content.unlink(missing_ok=True)
            self.notes.unlink(missing_ok=True)
        if not right:
            raise FileTrouble(f"{self.target.name} arrived with wrong bytes; download it again.")

    def _resumed(self) -> bool:
        try:
            noted = json.loads(self.notes.read_text())
            same = (noted["size"], noted["sha256"], noted["piece"]) == (
                *(self.size, self.sha256, PIECE),
            )
            if not same or self.content.stat().st_size != self.size:
                return False
            self.etag, self.done = str(noted["etag"]), set(map(int, noted["done"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return False
        return self.done <= set(self.pieces)

    def _write_notes(self) -> None:
        told = {"size": self.size, "sha256": self.sha256, "piece": PIECE, "etag": self.etag}
        write_private(self.notes, told | {"done": sorted(self.done)})


def digest_of(path: Path) -> str:
    """Return the SHA-256 (hexadecimal) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Say in a sentence what this machine did not let us do."""
    try:
        yield
    except OSError as error:
        raise FileTrouble(f"{path} cannot be written: {error.strerror}.") from error
