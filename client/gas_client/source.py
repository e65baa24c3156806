"""A file to be sent, which must stay the same until it has been."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from gas_client.errors import FileTrouble

#: Bytes that are held at a time.
CHUNK = 1 << 20
#: Bytes at the start by which the service knows a file again.
START = 64 * 1024


@dataclass(frozen=True)
class Source:
    """A file as it was when it was first looked at; sizes are in bytes."""

    path: Path
    size: int
    inode: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look at a file; FileTrouble when it cannot be read."""
        with _readable(path) as file:
            seen = os.fstat(file.fileno())
        return cls(path, seen.st_size, seen.st_ino, seen.st_mtime_ns)

    @property
    def first_bytes(self) -> str:
        """The SHA-256 (hexadecimal) of the file's start."""
        return self.sha256(0, min(START, self.size))

    def sha256(self, start: int, size: int) -> str:
        """Return the SHA-256 (hexadecimal) of some bytes."""
        digest = hashlib.sha256()
        for chunk in self.chunks(start, size):
            digest.update(chunk)
        return digest.hexdigest()

    def chunks(self, start: int, size: int) -> Iterator[bytes]:
        """Yield some bytes; FileTrouble when the file is not what it was."""
        with _readable(self.path) as file:
            self._compare(file)
            file.seek(start)
            while size:
                chunk = file.read(min(CHUNK, size))
                if not chunk:
                    raise self._changed()
                size -= len(chunk)
                yield chunk
            self._compare(file)

    def check(self) -> None:
        """Raise FileTrouble when the file is not what it was."""
        with _readable(self.path) as file:
            self._compare(file)

    def _compare(self, file: BinaryIO) -> None:
        seen = os.fstat(file.fileno())
        if (seen.st_size, seen.st_ino, seen.st_mtime_ns) != (self.size, self.inode, self.modified):
            raise self._changed()

    def _changed(self) -> FileTrouble:
        return FileTrouble(f"{self.path} changed while it was sent; submit it again.")


@contextmanager
def _readable(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise FileTrouble(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        yield file
