"""A tabix index made while the VCF is written, instead of by reading all of it once more.

Format: https://samtools.github.io/hts-specs/tabix.pdf, bins and chunks as in the SAM specification,
section 5.1. Records that reach further than their REF, and places that such an index cannot hold,
are left to htslib.
"""

import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotator.bgzf import BLOCK_BYTES, BgzfWriter
from annotator.columns import CONTIG, FORMAT, POS, REF

COMPRESSION = 3
WINDOW_SHIFT = 14
LARGEST = 1 << 29
_LEVELS = ((26, 1), (23, 9), (20, 73), (17, 585), (WINDOW_SHIFT, 4681))  # shift, first bin
_VCF = struct.pack("<6i", 2, 1, 2, 0, ord("#"), 0)


@dataclass
class Chunks:
    """Where the records of one contig lie in a text: by bin, and from each window on."""

    bins: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    windows: dict[int, int] = field(default_factory=dict)

    def add(self, number: int, start: int, end: int) -> None:
        """Add a stretch of records of one bin."""
        chunks = self.bins[number]
        if chunks and chunks[-1][1] == start:
            start = chunks.pop()[0]
        chunks.append((start, end))

    def reach(self, window: int, start: int) -> None:
        """Say that a record at `start` touches a window."""
        self.windows[window] = min(start, self.windows.get(window, start))


@dataclass
class Places:
    """The places of a part's records in its text; not `usable` when htslib must look."""

    usable: bool = True
    contigs: dict[bytes, Chunks] = field(default_factory=dict)
    size: int = 0

    def add(self, columns: list[pa.Array], lengths: pa.Array, *, reaching: bool) -> None:
        """Add lines with their columns and lengths; `reaching` as in `Records`."""
        ends = pc.add(pc.cumulative_sum(lengths.cast(pa.int64())), self.size)
        starts = pc.subtract(ends, lengths)
        self.size = ends[-1].as_py()
        first = pc.subtract(columns[POS].cast(pa.string()).cast(pa.int64()), 1)
        last = pc.subtract(pc.add(first, pc.binary_length(columns[REF])), 1)
        reach = pc.min_max(pc.if_else(pc.less(first, 0), LARGEST, last)).as_py()["max"]
        self.usable &= reach < LARGEST and not reaching
        self.usable &= not any(b"LEN" in shape for shape in _formats(columns))
        if self.usable:
            for name, at, length in _runs(columns[CONTIG]):
                chunks = self.contigs.setdefault(name, Chunks())
                cut = (array.slice(at, length) for array in (first, last, starts, ends))
                _collect(chunks, *cut)


def write_index(parts: Sequence[tuple[Places, list[int]]], begin: int, target: Path) -> None:
    """Write the index of parts behind each other from byte `begin`, with their blocks' sizes."""
    contigs: dict[bytes, Chunks] = {}
    for places, sizes in parts:
        virtual = _Virtual(begin, sizes)
        for name, found in places.contigs.items():
            chunks = contigs.setdefault(name, Chunks())
            for number, stretches in found.bins.items():
                for start, end in stretches:
                    chunks.add(number, virtual.offset(start), virtual.offset(end))
            for window, start in found.windows.items():
                chunks.reach(window, virtual.offset(start))
        begin = virtual.end
    names = b"".join(name + b"\0" for name in contigs)
    with BgzfWriter(target, COMPRESSION) as file:
        file.write(b"TBI\1" + struct.pack("<i", len(contigs)) + _VCF)
        file.write(struct.pack("<i", len(names)) + names)
        for chunks in contigs.values():
            file.write(b"".join(_packed(chunks)))


class _Virtual:
    """Turns places in a part's text to places in the compressed file (block << 16 | within)."""

    def __init__(self, begin: int, sizes: list[int]) -> None:
        self._blocks = [begin]
        for size in sizes:
            self._blocks.append(self._blocks[-1] + size)
        self.end = self._blocks[-1]

    def offset(self, at: int) -> int:
        block, within = divmod(at, BLOCK_BYTES)
        return self._blocks[block] << 16 | within


def _collect(
    chunks: Chunks, first: pa.Array, last: pa.Array, starts: pa.Array, ends: pa.Array
) -> None:
    for number, at, length in _runs(_bins(first, last)):
        chunks.add(number, starts[at].as_py(), ends[at + length - 1].as_py())
    windows, beyond = (pc.shift_right(place, WINDOW_SHIFT) for place in (first, last))
    for window, at, _ in _runs(windows):
        chunks.reach(window, starts[at].as_py())
    for at in pc.indices_nonzero(pc.not_equal(windows, beyond)).to_pylist():
        for window in range(windows[at].as_py() + 1, beyond[at].as_py() + 1):
            chunks.reach(window, starts[at].as_py())


def _formats(columns: list[pa.Array]) -> list[bytes]:
    return columns[FORMAT].unique().to_pylist() if len(columns) > FORMAT else []


def _bins(first: pa.Array, last: pa.Array) -> pa.Array:
    """Return the smallest bin that holds each stretch of bases, both ends included."""
    bins = pa.repeat(pa.scalar(0, pa.int64()), len(first))
    for shift, start in _LEVELS:
        here = pc.shift_right(first, shift)
        fits = pc.equal(here, pc.shift_right(last, shift))
        bins = pc.if_else(fits, pc.add(here, start), bins)
    return bins


def _packed(chunks: Chunks) -> Iterator[bytes]:
    yield struct.pack("<i", len(chunks.bins))
    for number, stretches in sorted(chunks.bins.items()):
        yield struct.pack("<Ii", number, len(stretches))
        yield from (struct.pack("<QQ", *stretch) for stretch in stretches)
    count, before = max(chunks.windows) + 1, 0
    yield struct.pack("<i", count)
    for window in range(count):
        before = chunks.windows.get(window, before)
        yield struct.pack("<Q", before)


def _runs(values: pa.Array) -> Iterator[tuple[Any, int, int]]:
    runs, first = pc.run_end_encode(values), 0
    for value, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield value, first, end - first
        first = end
