"""Where in a compressed VCF the records of a place begin, by its tabix index.

Format: https://samtools.github.io/hts-specs/tabix.pdf; of it only the linear index is used.
"""

import struct
from dataclasses import dataclass
from typing import Self

from gas.results.bgzf import unpacked
from gas.results.errors import Unreadable
from gas.results.table import Ranges

WINDOW_SHIFT = 14
#: Bytes of an unpacked index that are still read.
LARGEST = 64 << 20
_FIXED = struct.Struct("<4s8i")


@dataclass(frozen=True)
class Index:
    """For each contig, by its windows of bases, the virtual offset of the first record there."""

    windows: dict[str, tuple[int, ...]]

    @classmethod
    def read(cls, source: Ranges) -> Self:
        """Read a .tbi file; raises Unreadable."""
        text = bytearray()
        for _, block in unpacked(source):
            text += block
            if len(text) > LARGEST:
                raise Unreadable
        try:
            return cls(_windows(bytes(text)))
        except struct.error as error:
            raise Unreadable from error

    def offset(self, contig: str, position: int) -> int:
        """Return where to begin for a position (from 1): file offset << 16 | within; or 0."""
        windows = self.windows.get(contig, ())
        window = (position - 1) >> WINDOW_SHIFT
        return windows[window] if 0 <= window < len(windows) else 0


def _windows(text: bytes) -> dict[str, tuple[int, ...]]:
    *_, names_length = _FIXED.unpack_from(text)
    names = text[_FIXED.size : _FIXED.size + names_length].split(b"\0")[:-1]
    at = _FIXED.size + names_length
    windows = {}
    for name in names:
        at = _behind_bins(text, at)
        (count,) = struct.unpack_from("<i", text, at)
        windows[name.decode(errors="replace")] = struct.unpack_from(f"<{count}Q", text, at + 4)
        at += 4 + 8 * count
    return windows


def _behind_bins(text: bytes, at: int) -> int:
    (bins,) = struct.unpack_from("<i", text, at)
    at += 4
    for _ in range(bins):
        _, chunks = struct.unpack_from("<Ii", text, at)
        at += 8 + 16 * chunks
    return at
