"""BGZF in and out of streams: blocks of text, each with its place in the file.

Format: SAM specification, section 4.1. The files read are the annotator's own.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

from annotator.bgzf import BLOCK_BYTES, EOF_BLOCK, block
from gas.results.errors import Unreadable
from gas.results.table import Ranges

#: ISA-L's level of what is packed for one download.
LEVEL = 1
#: Bytes asked for at a time.
STEP = 4 << 20
_HEAD, _TRAILER = 18, 8
_MAGIC = b"\x1f\x8b\x08\x04"


def packed(texts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield text as BGZF, block by block, and the end-of-file block when all went well."""
    held = bytearray()
    for text in texts:
        held += text
        while len(held) >= BLOCK_BYTES:
            yield block(memoryview(bytes(held[:BLOCK_BYTES])), LEVEL)
            del held[:BLOCK_BYTES]
    if held:
        yield block(bytes(held), LEVEL)
    yield EOF_BLOCK


def unpacked(source: Ranges, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield the place and the text of each block from byte `start` on; raises Unreadable."""
    place, left = start, b""
    while place + len(left) < source.size:
        asked = place + len(left)
        held = left + source.read(asked, min(STEP, source.size - asked))
        at = 0
        while (size := _size(held, at)) and at + size <= len(held):
            yield place + at, _text(held[at : at + size])
            at += size
        place, left = place + at, held[at:]
    if left:
        raise Unreadable


def _size(held: bytes, at: int) -> int | None:
    """Return the size of the block that begins there; None where its head is not at hand."""
    if at + _HEAD > len(held):
        return None
    if not held.startswith(_MAGIC, at):
        raise Unreadable
    (size,) = struct.unpack_from("<H", held, at + _HEAD - 2)
    return int(size) + 1


def _text(packed_block: bytes) -> bytes:
    try:
        return zlib.decompress(packed_block[_HEAD:-_TRAILER], -15)
    except zlib.error as error:
        raise Unreadable from error
