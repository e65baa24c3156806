"""The alleles of a shard, each once, as bare sites: all that engines and sources get to see.

What they say of a site is put on every record that has it, by number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from annotator.columns import (
    ALT,
    CONTIG,
    INFO,
    POS,
    REF,
    binary,
    read_columns,
    text_in,
    together,
)
from annotator.errors import AnnotatorFailed
from annotator.records import Records

APART = 1 << 14  # bases between records that are worth a jump: what one entry of an index covers
INDEXED = 1 << 29  # where a .tbi ends
WIDTH = 8
ALLELE = (CONTIG, POS, REF, ALT)
_HEAD = b"##fileformat=VCFv4.2\n"
_CONTIG = b"##contig=<ID=%s,length=%d>\n"
_NAMES = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
_NOTHING, _REST = binary(b"."), binary(b".\t.\t.\n")
_PLAIN_ALT = "^[ACGTacgt]+$"


@dataclass(frozen=True)
class Sites:
    """Lines of a VCF without a header, all different."""

    lines: pa.Array

    @cached_property
    def alleles(self) -> list[pa.Array]:
        """Return contig, position, REF and ALT."""
        return columns_of([bytes(text_in(self.lines))] if len(self.lines) else [], *ALLELE)


def regions(contigs: pa.Array, positions: pa.Array) -> bytes | None:
    """Return what `bcftools -R` reads of sites in order; None where an index cannot help.

    Those are the stretches that hold all sites, without the long ones that hold none.
    """
    if not len(contigs):
        return None
    least, most = pc.min_max(positions).values()
    if least.as_py() < 1 or most.as_py() >= INDEXED:
        return None
    far = pc.greater(pc.subtract(positions[1:], positions[:-1]), APART)
    cut = pc.or_(far, pc.not_equal(contigs[1:], contigs[:-1]))
    lasts = [*pc.indices_nonzero(cut).to_pylist(), len(contigs) - 1]
    firsts = [0, *(last + 1 for last in lasts[:-1])]
    rows = (
        (contigs[last].as_py(), positions[first].as_py(), positions[last].as_py())
        for first, last in zip(firsts, lasts, strict=True)
    )
    return b"".join(b"%s\t%d\t%d\n" % row for row in rows)


def sites_of(shard: Sequence[Records]) -> tuple[Sites, list[pa.Array]]:
    """Return the sites of a shard's plain alleles, and for each block which site each record has.

    A record without one, because it has a flag, no ALT or one that is no sequence, has null.
    """
    if not shard:
        return Sites(pa.array([], pa.binary())), []
    coded = pa.concat_arrays([_lines(records) for records in shard]).dictionary_encode()
    ends = accumulate(map(len, shard))
    numbers = [
        coded.indices[end - len(block) : end] for block, end in zip(shard, ends, strict=True)
    ]
    return Sites(coded.dictionary), numbers


def vcf(contigs: Mapping[bytes, int], lines: bytes | memoryview) -> bytes:
    """Return a VCF of sites; `contigs` are names and lengths."""
    declared = (_CONTIG % pair for pair in contigs.items())
    return b"".join([_HEAD, *declared, _NAMES, lines])


def line_of(contig: pa.Array, position: pa.Array, ref: pa.Array, alt: pa.Array) -> pa.Array:
    """Return lines of sites."""
    return together(contig, position, _NOTHING, ref, alt, _REST)


def answers(blocks: Iterable[bytes], sites: Sites) -> pa.Array:
    """Return the INFO that a program put on sites, which must be all there and in their order."""
    *told, info = columns_of(blocks, *ALLELE, INFO)
    if told != sites.alleles:
        raise AnnotatorFailed("the engine told of other alleles than it was asked for")
    return info


def columns_of(blocks: Iterable[bytes], *wanted: int) -> list[pa.Array]:
    """Return some columns of blocks of whole lines of sites."""
    parts = [read_columns(block, WIDTH, wanted) for block in blocks]
    if not parts:
        return [pa.array([], pa.binary()) for _ in wanted]
    return [pa.concat_arrays(several) for several in zip(*parts, strict=True)]


def as_numbers(positions: pa.Array) -> pa.Array:
    """Return a column of positions as integers."""
    return positions.cast(pa.string()).cast(pa.int64())


def _lines(records: Records) -> pa.Array:
    contig, pos, ref, alt = (records.columns[at] for at in ALLELE)
    plain = pc.and_(pc.match_substring_regex(alt, pattern=_PLAIN_ALT), pc.not_equal(ref, alt))
    if records.flagged is not None:
        plain = pc.and_not(plain, records.flagged)
    lines = line_of(contig, pos, ref, alt)
    return (
        lines if plain.false_count == 0 else pc.if_else(plain, lines, pa.nulls(1, pa.binary())[0])
    )
