"""BGZF, the blocked gzip that tabix can index (SAM specification 4.1), at a level of our choice."""

import struct
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

BLOCK_BYTES = 65280  # what htslib packs into one block of at most 64 KiB
EOF_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_HEADER = struct.Struct("<4BI2BH2BHH")
_FRAME_BYTES = 26  # the header of 18 bytes and the trailer of 8


class BgzfWriter:
    """Writes text as BGZF; the end-of-file block comes only when all went well."""

    def __init__(self, path: Path, level: int) -> None:
        self._file, self._level, self._held = path.open("wb"), level, b""

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
                self._file.write(_block(self._held, self._level) if self._held else b"")
                self._file.write(EOF_BLOCK)

    def write(self, text: bytes) -> None:
        """Add text; whole blocks go to the file at once."""
        text = self._held + text
        whole = len(text) - len(text) % BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            self._file.write(_block(text[start : start + BLOCK_BYTES], self._level))
        self._held = text[whole:]


def _block(text: bytes, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    packed = packer.compress(text) + packer.flush()
    size = len(packed) + _FRAME_BYTES
    if size > 1 << 16:  # bytes that do not compress are stored
        return _block(text, 0)
    header = _HEADER.pack(0x1F, 0x8B, 8, 4, 0, 0, 0xFF, 6, 0x42, 0x43, 2, size - 1)
    return header + packed + struct.pack("<II", zlib.crc32(text), len(text))
