"""Digests in the forms that S3 and Glacier ask for, computed over blocks of bounded size."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

MIB = 1024**2


class Readable(Protocol):
    """Something to read bytes from: an open file or the body of a response."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


def blocks(source: Readable, size: int) -> Iterator[bytes]:
    """Yield blocks of exactly `size` bytes, and a shorter last one."""
    block = bytearray()
    while chunk := source.read(size - len(block)):
        block += chunk
        if len(block) == size:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def sha256_of_file(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_base64(hexadecimal: str) -> str:
    """Turn a hexadecimal digest into the Base64 that S3 headers carry."""
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def to_hexadecimal(base64_text: str) -> str:
    """Turn an S3 header's Base64 digest into hexadecimal."""
    return base64.b64decode(base64_text).hex()


class TreeHash:
    """Glacier's SHA-256 tree hash (Amazon S3 Glacier Developer Guide, "Computing Checksums").

    Digests of 1 MiB leaves are hashed in pairs, level by level, until one is left; an odd one
    moves up as it is. A block given to `add` must be whole MiBs, except the last.
    """

    def __init__(self) -> None:
        self._leaves: list[bytes] = []

    def add(self, block: bytes) -> None:
        """Add the next bytes of the archive."""
        for start in range(0, len(block), MIB):
            self._leaves.append(hashlib.sha256(block[start : start + MIB]).digest())

    def hexdigest(self) -> str:
        """Return the tree hash in hexadecimal."""
        level = self._leaves or [hashlib.sha256(b"").digest()]
        while len(level) > 1:
            pairs = (level[i : i + 2] for i in range(0, len(level), 2))
            level = [hashlib.sha256(b"".join(p)).digest() if len(p) == 2 else p[0] for p in pairs]
        return level[0].hex()
