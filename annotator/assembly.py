"""Is the file on the bundle's assembly? Told by contig lengths first, then by the REF alleles."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from pysam import FastaFile

from annotator.bundles import Bundle, Contig
from annotator.errors import InputRefused

MISMATCH_CAP = 0.2  # a wrong assembly disagrees in about 0.7 of its SNVs, a right one in 0.0
WINDOW = 1 << 20
_CHROMOSOMES = ("1", "2", "16", "20", "21", "22", "X")
# Lengths published by NCBI (GCF_000001405.12, .25, .26 and GCF_009914755.1).
_LENGTHS = {
    "NCBI36": (247249719, 242951149, 88827254, 62435964, 46944323, 49691432, 154913754),
    "GRCh37": (249250621, 243199373, 90354753, 63025520, 48129895, 51304566, 155270560),
    "GRCh38": (248956422, 242193529, 90338345, 64444167, 46709983, 50818468, 156040895),
    "T2T-CHM13": (248387328, 242696752, 96330374, 66210255, 45090682, 51324926, 154259566),
}
_ASSEMBLY_OF = {
    (name, length): assembly
    for assembly, lengths in _LENGTHS.items()
    for name, length in zip(_CHROMOSOMES, lengths, strict=True)
}


def check_lengths(declared: Mapping[bytes, int | None], bundle: Bundle) -> None:
    """Refuse a header whose contig lengths are another assembly's."""
    names = bundle.names()
    guess = _guess(declared)
    if guess and guess != bundle.assembly:
        raise InputRefused(
            f"The file looks like {guess} by its contig lengths;"
            f" the chosen reference is {bundle.assembly}."
        )
    for name, length in declared.items():
        contig = names.get(name)
        if contig and length is not None and length != contig.length:
            raise InputRefused(
                f"The header says that contig {name.decode()} is {length} long;"
                f" in {bundle.assembly} it is {contig.length}."
            )


def check_mismatches(mismatched: int, compared: int, assembly: str) -> None:
    """Refuse a file whose REF alleles are not this assembly's."""
    if mismatched > MISMATCH_CAP * compared:
        raise InputRefused(
            f"{mismatched} of {compared} REF alleles are not those of {assembly}:"
            " the file seems to be on another assembly."
        )


def _guess(declared: Mapping[bytes, int | None]) -> str | None:
    found = (
        _ASSEMBLY_OF.get((name.decode(errors="replace").removeprefix("chr"), length or 0))
        for name, length in declared.items()
    )
    return next((assembly for assembly in found if assembly), None)


class Reference:
    """The bases of the bundle, read in windows so that memory does not grow with the contig."""

    def __init__(self, bundle: Bundle) -> None:
        self._fasta = FastaFile(str(bundle.fasta))

    def bases(
        self, contig: Contig, positions: Sequence[int], lengths: Sequence[int]
    ) -> list[bytes]:
        """Return the upper-case bases at each 1-based position; shorter beyond the contig's end."""
        order = sorted(range(len(positions)), key=positions.__getitem__)
        starts = [max(0, positions[at] - 1) for at in order]  # POS 0 is a telomere
        ends = [start + lengths[at] for start, at in zip(starts, order, strict=True)]
        found: list[bytes] = []
        while len(found) < len(starts):
            first = len(found)
            last = bisect_right(starts, starts[first] + WINDOW, first)
            found += self._window(contig, starts[first:last], ends[first:last])
        return found if order == list(range(len(order))) else _unsorted(found, order)

    def _window(self, contig: Contig, starts: list[int], ends: list[int]) -> list[bytes]:
        begin = starts[0]
        text = self._fasta.fetch(contig.name, begin, max(ends)).upper().encode()
        return [text[s - begin : e - begin] for s, e in zip(starts, ends, strict=True)]


def _unsorted(found: list[bytes], order: list[int]) -> list[bytes]:
    placed = [b""] * len(order)
    for bases, at in zip(found, order, strict=True):
        placed[at] = bases
    return placed
