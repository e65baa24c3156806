"""The flagged records as they came, byte for byte.

bcftools passes them on unannotated, but writes their numbers in its own way (30.00 becomes 30), so
each is put back before it goes to the results. It changes neither their number nor their order.
"""

from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from annotator.errors import AnnotatorFailed

FLAG = b"GAS_SKIP="
_INFO = 7


class Originals:
    """Knows the flagged records of a shard's text, which may be deleted meanwhile."""

    def __init__(self, shard: Path) -> None:
        with shard.open("rb") as file:
            self._text = mmap(file.fileno(), 0, access=ACCESS_READ)
        self._flagged = _flagged(self._text)

    def put_back(self, block: bytes) -> bytes:
        """Return whole lines with each flagged record as it was; blocks come in their order."""
        pieces, done = list[bytes](), 0
        for start, end in _flagged(block):
            first, last = next(self._flagged, (0, 0))
            original = self._text[first:last]
            if not original or _identity(original) != _identity(block[start:end]):
                raise AnnotatorFailed("the engine changed the order of the flagged records")
            pieces += [block[done:start], _with_plain_position(original)]
            done = end
        return b"".join([*pieces, block[done:]]) if pieces else block


def _flagged(text: bytes | mmap) -> Iterator[tuple[int, int]]:
    """Yield where lines begin and end whose INFO holds a flag."""
    end = 0
    while (at := text.find(FLAG, end)) >= 0:
        start, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
        columns = text[start:end].split(b"\t", _INFO + 1)
        if len(columns) > _INFO and b";" + FLAG in b";" + columns[_INFO]:
            yield start, end


def _with_plain_position(line: bytes) -> bytes:
    """Take leading zeros away, with which an index would take the position for octal."""
    contig, position, rest = line.split(b"\t", 2)
    return b"\t".join([contig, position.lstrip(b"0") or b"0", rest])


def _identity(line: bytes) -> tuple[bytes, ...]:
    """Return what bcftools leaves as it is, but for what is empty: that becomes a dot."""
    contig, position, name, ref, alts, _ = line.split(b"\t", 5)
    alleles = (allele or b"." for allele in alts.split(b","))
    return contig, position.lstrip(b"0") or b"0", name or b".", ref or b".", *alleles
