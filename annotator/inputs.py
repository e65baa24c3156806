"""An input file as blocks of whole lines, decompressed by us under caps.

zlib is used instead of htslib, so that a hostile text never meets htslib's file opening.
"""

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from annotator.bgzf import EOF_BLOCK
from annotator.errors import InputRefused
from annotator.sniff import Format

READ_BYTES = 1 << 18
BLOCK_BYTES = 1 << 20
LINE_CAP = 32 << 20  # half a million samples at 64 bytes each
RATIO_CAP = 400  # deflate reaches 1032; sparse cohort files reach about 200
RATIO_FROM = 64 << 20  # bytes of text before the ratio is judged


class Input:
    """One pass over an input file; `sha256` and `bytes` are whole once `lines()` is exhausted."""

    def __init__(self, path: Path, kind: Format) -> None:
        self._path, self._kind, self._digest = path, kind, hashlib.sha256()
        self.bytes = 0
        self.inflated = 0

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes read so far, as they lie on disk."""
        return self._digest.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """Yield the decompressed bytes in pieces of any length."""
        pieces = self._raw() if self._is_plain() else self._inflate()
        for piece in pieces:
            self.inflated += len(piece)
            self._check_ratio()
            yield piece
        if self.inflated == 0:
            raise InputRefused("The file is compressed, but holds nothing.")

    def lines(self) -> Iterator[bytes]:
        """Yield blocks of about 1 MiB, each of whole lines ended by a newline."""
        return whole_lines(self.pieces())

    def _is_plain(self) -> bool:
        with self._path.open("rb") as file:
            return file.read(2) != b"\x1f\x8b"

    def _raw(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while raw := file.read(READ_BYTES):
                self.bytes += len(raw)
                self._digest.update(raw)
                yield raw

    def _inflate(self) -> Iterator[bytes]:
        if self._kind is Format.BGZF:
            self._check_eof_block()
        inflater = zlib.decompressobj(31)
        for raw in self._raw():
            rest, piece = raw, b""
            while rest or len(piece) == BLOCK_BYTES:  # a full piece may have more behind it
                if inflater.eof:
                    inflater = zlib.decompressobj(31)
                piece = self._step(inflater, rest)
                yield piece
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        if not inflater.eof:
            raise InputRefused(
                f"The gzip data ends too early, after byte {self.bytes}: it is truncated."
            )

    def _step(self, inflater: "zlib._Decompress", rest: bytes) -> bytes:
        try:
            return inflater.decompress(rest, BLOCK_BYTES)
        except zlib.error:
            raise InputRefused(f"The gzip data is corrupt before byte {self.bytes}.") from None

    def _check_eof_block(self) -> None:
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - len(EOF_BLOCK)))
            if file.read() != EOF_BLOCK:
                raise InputRefused(
                    f"The file ends at byte {size} without the BGZF end-of-file block:"
                    " it is truncated."
                )

    def _check_ratio(self) -> None:
        if self.inflated > RATIO_FROM and self.inflated > RATIO_CAP * self.bytes:
            raise InputRefused(f"The file grows more than {RATIO_CAP} times when decompressed.")


def whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Regroup pieces into blocks of about 1 MiB, each of whole lines ended by a newline."""
    held: list[bytes] = []
    size, line = 0, 1
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size < BLOCK_BYTES:
            continue
        block, _, rest = b"".join(held).rpartition(b"\n")
        if block:
            yield block + b"\n"
            line += block.count(b"\n") + 1
        elif size > LINE_CAP:
            raise InputRefused(f"line {line}: longer than {LINE_CAP >> 20} MiB.")
        held, size = [rest], len(rest)
    if last := b"".join(held):
        yield last if last.endswith(b"\n") else last + b"\n"
