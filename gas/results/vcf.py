"""The records of the wanted rows, copied out of the annotated VCF as they stand there.

Table and VCF have the same order, so both are walked once; what lies between two wanted records is
skipped by the index, or read and dropped where it is short.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from gas.results.bgzf import unpacked
from gas.results.errors import Unreadable
from gas.results.index import Index
from gas.results.table import Deadline, Ranges

#: Compressed bytes that are rather read than jumped over.
WORTH_A_JUMP = 2 << 20

Place = tuple[str, int, str, str]


@dataclass(frozen=True)
class Stop:
    """A position of the VCF, as its lines begin there, and the alleles that are wanted."""

    contig: str
    position: int
    alleles: frozenset[bytes]

    @property
    def start(self) -> bytes:
        """How its lines begin."""
        return f"{self.contig}\t{self.position}\t".encode()


class _Lines:
    """The lines of a VCF from a virtual offset on, as many at a time as end in one block."""

    def __init__(self, source: Ranges, begin: int = 0) -> None:
        self.place = begin >> 16
        self._blocks = unpacked(source, self.place)
        self._within, self._rest = begin & 0xFFFF, b""

    def more(self) -> list[bytes] | None:
        """Return the next lines; None at the end."""
        self.place, text = next(self._blocks, (self.place, b""))
        if not text:
            return None
        lines = (self._rest + text[self._within :]).split(b"\n")
        self._within, self._rest = 0, lines.pop()
        return lines

    def header(self) -> tuple[list[bytes], list[bytes]]:
        """Return the lines of the header, and those of records that came with its end."""
        head: list[bytes] = []
        while (lines := self.more()) is not None:
            head += lines
            end = next((at for at, line in enumerate(head) if line.startswith(b"#CHROM")), None)
            if end is not None:
                return head[: end + 1], head[end + 1 :]
        raise Unreadable


def records(
    vcf: Ranges, index: Index, wanted: Iterable[Place], note: str, until: Deadline
) -> Iterator[bytes]:
    """Yield the header, with a line that tells of the filter, and the wanted records.

    Raises Unreadable when a wanted record is not there, and TooSlow.
    """
    lines, walk = _Lines(vcf), _Walk(_stops(wanted))
    (*meta, names), behind = lines.header()
    yield b"\n".join([*meta, note_line(note), names, b""])
    some: list[bytes] | None = behind
    while some is not None:
        yield b"".join(line + b"\n" for line in some if walk.takes(line))
        if walk.done:
            break
        until.check()
        if (ahead := _jump(index, walk, lines)) is not None:
            lines = _Lines(vcf, ahead)
        some = lines.more()
    walk.finish()


def note_line(note: str) -> bytes:
    """Return the header line that tells of the filter, in printable ASCII."""
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in note)
    return f"##GAS_filter={plain}".encode()


class _Walk:
    """Goes through the stops along the lines."""

    def __init__(self, stops: Iterator[Stop]) -> None:
        self._stops = stops
        self._taken = set[bytes]()
        self.stop = next(stops, None)
        self._start = self.stop.start if self.stop else b""

    @property
    def done(self) -> bool:
        """Whether nothing more is wanted."""
        return self.stop is None

    def takes(self, line: bytes) -> bool:
        """Tell whether a line is wanted, and go on behind a stop."""
        if self._taken and not line.startswith(self._start):
            self._go_on()
        if self.stop is None or not line.startswith(self._start):
            return False
        alleles = b"\t".join(line.split(b"\t", 5)[3:5])
        if alleles not in self.stop.alleles:
            return False
        self._taken.add(alleles)
        return True

    def finish(self) -> None:
        """Raise Unreadable unless every wanted allele has been met."""
        if self._taken:
            self._go_on()
        if self.stop is not None:
            raise Unreadable

    def _go_on(self) -> None:
        if self.stop is None or self._taken != self.stop.alleles:
            raise Unreadable
        self._taken = set()
        self.stop = next(self._stops, None)
        self._start = self.stop.start if self.stop else b""

    @property
    def waiting(self) -> Stop | None:
        """The stop that is still to be reached."""
        return None if self._taken else self.stop


def _stops(wanted: Iterable[Place]) -> Iterator[Stop]:
    for (contig, position), here in groupby(wanted, itemgetter(0, 1)):
        alleles = frozenset(f"{ref}\t{alt}".encode() for _, _, ref, alt in here)
        yield Stop(contig, position, alleles)


def _jump(index: Index, walk: _Walk, lines: _Lines) -> int | None:
    """Return where to go on when the next stop lies far ahead."""
    if walk.waiting is None:
        return None
    ahead = index.offset(walk.waiting.contig, walk.waiting.position)
    return ahead if (ahead >> 16) - lines.place > WORTH_A_JUMP else None
