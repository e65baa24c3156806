"""Is the file on the bundle's assembly? Told by contig lengths first, then by the REF alleles."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from operator import add

import pyarrow as pa
import pyarrow.compute as pc
from pysam import FastaFile

from annotator.bundles import Bundle, Contig, folders, load
from annotator.chromosomes import guess
from annotator.columns import text_in
from annotator.errors import AnnotatorFailed, InputRefused

MISMATCH_CAP = 0.2  # a wrong assembly disagrees in about 0.7 of its SNVs, a right one in 0.0
LEAST_MISMATCHED = 3  # one wrong record among few says nothing of the others
AGREEMENT = 0.9  # of the sampled REF alleles with the assembly that is named instead
SAMPLE = 2000  # records from the start of the file
LEAST_COMPARED = 10
WINDOW = 1 << 20


def check_lengths(declared: Mapping[bytes, int | None], bundle: Bundle) -> None:
    """Refuse a header whose contig lengths are another assembly's.

    A mitochondrion alone may differ: that of hg19, on the chromosomes of GRCh37, has 16571 bases.
    """
    names, same = bundle.names(), same_contigs(declared, bundle)
    told = guess(declared.values())
    if told and told != bundle.assembly:
        raise InputRefused(
            f"The file looks like {told} by its contig lengths;"
            f" the chosen reference is {bundle.assembly}."
        )
    agrees = any(declared.get(name) for name in same)
    for name, length in declared.items():
        contig = names.get(name)
        if contig and name not in same and (contig.is_standard or not agrees):
            raise InputRefused(
                f"The header says that contig {name.decode()} is {length} long;"
                f" in {bundle.assembly} it is {contig.length}."
            )


def same_contigs(declared: Mapping[bytes, int | None], bundle: Bundle) -> dict[bytes, Contig]:
    """Return the bundle's contigs by name, without those that have another length in a header."""
    return {
        name: contig
        for name, contig in bundle.names().items()
        if declared.get(name) in (None, contig.length)
    }


def is_another(mismatched: int, compared: int) -> bool:
    """Tell whether so many REF alleles disagree that the file is on another assembly."""
    return mismatched >= LEAST_MISMATCHED and mismatched > MISMATCH_CAP * compared


def refusal(mismatched: int, compared: int, assembly: str, looks_like: str | None) -> InputRefused:
    """Return what to say of a file whose REF alleles are not this assembly's."""
    guess = f"looks like {looks_like}" if looks_like else "seems to be on another assembly"
    return InputRefused(
        f"{mismatched} of {compared} REF alleles are not those of {assembly}: the file {guess}."
    )


def rivals(bundle: Bundle) -> list[Bundle]:
    """Return the bundles installed beside this one that are whole and on other assemblies."""
    others = []
    for folder in folders(bundle.folder.parent):
        with suppress(AnnotatorFailed):
            others.append(load(folder))
    return [other for other in others if other.assembly != bundle.assembly]


def closest(records: Iterable[bytes], candidates: Iterable[Bundle]) -> str | None:
    """Name the assembly whose bases agree with the REF alleles of record lines, if one does."""
    alleles: dict[bytes, list[tuple[int, bytes]]] = defaultdict(list)
    for line in islice(records, SAMPLE):
        name, position, _, ref, _ = line.split(b"\t", 4)
        alleles[name].append((int(position), ref.upper()))
    agreement = {bundle.assembly: _agreement(alleles, bundle) for bundle in candidates}
    best = max(agreement, key=agreement.__getitem__, default=None)
    return best if best is not None and agreement[best] >= AGREEMENT else None


def _agreement(alleles: Mapping[bytes, list[tuple[int, bytes]]], bundle: Bundle) -> float:
    """Return the share of alleles that agree, of those on bases that the bundle knows."""
    reference, names = Reference(bundle), bundle.names()
    agreed = compared = 0
    for name, pairs in alleles.items():
        if contig := names.get(name):
            positions, refs = zip(*pairs, strict=True)
            bases = reference.bases(contig, positions, list(map(len, refs)))
            known = [b == r for b, r in zip(bases, refs, strict=True) if b.strip(b"N")]
            agreed, compared = agreed + sum(known), compared + len(known)
    return agreed / compared if compared >= LEAST_COMPARED else 0.0


class Reference:
    """The bases of the bundle, read in windows so that memory does not grow with the contig."""

    def __init__(self, bundle: Bundle) -> None:
        self._fasta = FastaFile(str(bundle.fasta))

    def bases(
        self, contig: Contig, positions: Sequence[int], lengths: Sequence[int]
    ) -> list[bytes]:
        """Return the upper-case bases at each 1-based position; shorter beyond the contig's end."""
        if list(positions) != sorted(positions):
            order = sorted(range(len(positions)), key=positions.__getitem__)
            in_order = self.bases(
                contig, [positions[i] for i in order], [lengths[i] for i in order]
            )
            return _unsorted(in_order, order)
        starts = [position - 1 for position in positions]
        if starts and starts[0] < 0:  # POS 0 is a telomere
            starts = [max(0, start) for start in starts]
        ends = list(map(add, starts, lengths))
        found: list[bytes] = []
        while len(found) < len(starts):
            first = len(found)
            last = bisect_right(starts, starts[first] + WINDOW, first)
            found += self._window(contig, starts[first:last], ends[first:last])
        return found

    def differing(
        self, contig: Contig, positions: pa.Array, refs: pa.Array
    ) -> Iterator[tuple[int, bytes]]:
        """Yield the places of the alleles that are not the bases at their positions, and those."""
        if not is_sorted(positions):
            yield from self._differing(contig, positions, refs)
            return
        starts: list[int] = positions.to_pylist()
        first = 0
        while first < len(starts):
            last = bisect_right(starts, starts[first] + WINDOW, first)
            here, there = positions.slice(first, last - first), refs.slice(first, last - first)
            yield from ((first + at, bases) for at, bases in self._near(contig, here, there))
            first = last

    def _near(
        self, contig: Contig, positions: pa.Array, refs: pa.Array
    ) -> Iterator[tuple[int, bytes]]:
        """Compare single bases, which most alleles are, in bulk."""
        single = pc.equal(pc.binary_length(refs), 1)
        starts = pc.max_element_wise(pc.subtract(positions, 1), 0)
        begin, end = starts[0].as_py(), starts[-1].as_py() + 1
        text = self._fasta.fetch(contig.name, begin, end).upper().encode().ljust(end - begin, b"\0")
        bases = pa.Array.from_buffers(pa.uint8(), len(text), [None, pa.py_buffer(text)])
        singles = refs.filter(single)
        found = bases.take(pc.subtract(starts.filter(single), begin))
        alleles = pa.py_buffer(text_in(singles))
        own = pa.Array.from_buffers(pa.uint8(), len(singles), [None, alleles])
        unequal = pc.indices_nonzero(pc.not_equal(found, own))
        places = pc.indices_nonzero(single).take(unequal).to_pylist()
        for at, base in zip(places, found.take(unequal).to_pylist(), strict=True):
            yield at, bytes((base,)).rstrip(b"\0")
        longer = pc.invert(single)
        places = pc.indices_nonzero(longer).to_pylist()
        others = self._differing(contig, positions.filter(longer), refs.filter(longer))
        yield from ((places[at], bases) for at, bases in others)

    def _differing(
        self, contig: Contig, positions: pa.Array, refs: pa.Array
    ) -> Iterator[tuple[int, bytes]]:
        alleles = refs.to_pylist()
        expected = self.bases(contig, positions.to_pylist(), list(map(len, alleles)))
        for at, (ref, bases) in enumerate(zip(alleles, expected, strict=True)):
            if ref != bases:
                yield at, bases

    def _window(self, contig: Contig, starts: list[int], ends: list[int]) -> list[bytes]:
        begin = starts[0]
        text = self._fasta.fetch(contig.name, begin, max(ends)).upper().encode()
        return [text[s - begin : e - begin] for s, e in zip(starts, ends, strict=True)]


def is_sorted(numbers: pa.Array) -> bool:
    """Tell whether no number is followed by a smaller one."""
    return bool(pc.all(pc.less_equal(numbers[:-1], numbers[1:]), min_count=0).as_py())


def _unsorted(found: list[bytes], order: list[int]) -> list[bytes]:
    placed = [b""] * len(order)
    for bases, at in zip(found, order, strict=True):
        placed[at] = bases
    return placed
