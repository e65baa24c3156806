"""BGZF, the blocked gzip that tabix can index (SAM specification 4.1), packed by ISA-L.

`level` is ISA-L's, from 0 to 3.
"""

import shutil
import struct
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from isal import isal_zlib

BLOCK_BYTES = 65280  # what htslib packs into one block of at most 64 KiB
EOF_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_HEADER = struct.Struct("<4BI2BH2BHH")
COPY_BYTES = 1 << 20
_FRAME_BYTES = 26  # the header of 18 bytes and the trailer of 8


class BgzfWriter:
    """Writes text as BGZF; the end-of-file block comes only when all went well.

    `whole` is false for a part that others will follow: it gets no end-of-file block.
    """

    def __init__(self, path: Path, level: int, *, whole: bool = True) -> None:
        self._file, self._level, self._held = path.open("wb"), level, b""
        self._end = EOF_BLOCK if whole else b""
        self.sizes: list[int] = []  # of the blocks in the file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if kind is None:
                self.flush()
                self._file.write(self._end)

    def append(self, part: Path) -> None:
        """Add a file of whole blocks, as it is."""
        self.flush()
        with part.open("rb") as file:
            shutil.copyfileobj(file, self._file, COPY_BYTES)

    def flush(self) -> None:
        """Make a block of what is held, however short it is."""
        if self._held:
            self._put(self._held)
            self._held = b""

    def write(self, text: bytes | memoryview) -> None:
        """Add text; whole blocks go to the file at once."""
        left = memoryview(text)
        if self._held:
            room = BLOCK_BYTES - len(self._held)
            self._held += left[:room]
            left = left[room:]
            if len(self._held) < BLOCK_BYTES:
                return
            self._put(self._held)
        while len(left) >= BLOCK_BYTES:
            self._put(left[:BLOCK_BYTES])
            left = left[BLOCK_BYTES:]
        self._held = bytes(left)

    def _put(self, text: bytes | memoryview) -> None:
        packed = block(text, self._level)
        self.sizes.append(len(packed))
        self._file.write(packed)


def block(text: bytes | memoryview, level: int) -> bytes:
    """Return at most BLOCK_BYTES of text as one block."""
    packed = _deflated(text, level)
    if len(packed) + _FRAME_BYTES > 1 << 16:  # bytes that do not compress are stored
        stored = zlib.compressobj(0, zlib.DEFLATED, -15)
        packed = stored.compress(text) + stored.flush()
    size = len(packed) + _FRAME_BYTES
    header = _HEADER.pack(0x1F, 0x8B, 8, 4, 0, 0, 0xFF, 6, 0x42, 0x43, 2, size - 1)
    return header + packed + struct.pack("<II", isal_zlib.crc32(text), len(text))


def _deflated(text: bytes | memoryview, level: int) -> bytes:
    # ISA-L: a quarter of zlib's time for the same size.
    packer = isal_zlib.compressobj(level, isal_zlib.DEFLATED, -15)
    return packer.compress(text) + packer.flush()
