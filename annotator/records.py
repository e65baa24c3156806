"""A shard's records as columns: the text they came with, and the alleles of those that were split.

What is no flagged record is made fit for more fields: an empty cell becomes a dot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from annotator import genotypes
from annotator.alleles import Reason
from annotator.blame import UnreadableError
from annotator.columns import (
    ALT,
    CONTIG,
    FILTER,
    ID,
    INFO,
    POS,
    REF,
    binary,
    marked,
    split_lines,
)
from annotator.errors import AnnotatorFailed
from annotator.header import defines
from annotator.inputs import READ_BYTES, whole_lines

SKIP = b"GAS_SKIP="
_EMPTY = b"."  # what the split makes of an ALT that has nothing between its commas
_OURS = b"GAS_"  # in screened text that is SKIP alone; Python finds it in half the time
_COLUMNS = b"#CHROM\t"
_FURTHER = (b"END=", b"LEN=")  # END and SVLEN tell that a record is longer than its REF
_PLACE = (CONTIG, POS, ID, REF)  # what the split leaves as it is


@dataclass(frozen=True)
class Records:
    """About 1 MiB of records; `reaching` says that some may be longer than their REF."""

    columns: list[pa.Array]
    flagged: pa.Array | None  # which, if any
    reaching: bool

    def __len__(self) -> int:
        """How many records there are."""
        return len(self.columns[CONTIG])


def read(shard: Path, split: Path, tag: str) -> Iterator[Records]:
    """Yield the records of a shard, with those of several ALTs replaced by what `split` holds.

    An INFO field of the name `tag`, which belongs to the engine, is taken away.
    """
    alleles, mark = _Alleles(split), tag.encode()
    has_tag = any(defines(line, b"INFO", mark) for line in header_of(split))
    for text in _blocks(shard):
        columns = split_lines(text)
        columns[POS] = _without_zeros(columns[POS])
        flagged = _flagged(columns[INFO]) if _OURS in text else None
        several = pc.match_substring(columns[ALT], ",")
        if several.true_count:
            _check_genotypes([column.filter(several) for column in columns])
        several = several if flagged is None else pc.and_not(several, flagged)
        columns = _with_dots(columns, flagged)
        if several.true_count:
            columns = alleles.in_place_of(columns, several)
            odd = flagged is not None or alleles.some_empty
            flagged = _flagged(columns[INFO]) if odd else None
        if has_tag:
            columns[INFO] = _without(columns[INFO], mark, flagged)
        yield Records(columns, flagged, any(tag in text for tag in _FURTHER))
    alleles.check_all_taken()


def header_of(file: Path) -> list[bytes]:
    """Return the header lines of a VCF text."""
    lines: list[bytes] = []
    with file.open("rb") as text:
        for line in text:
            if not line.startswith(b"#"):
                break
            lines.append(line.rstrip(b"\n"))
    return lines


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as text:
        next(line for line in text if line.startswith(_COLUMNS))
        yield from whole_lines(iter(lambda: text.read(READ_BYTES), b""))


class _Alleles:
    """The rows of a split, taken as the records come that they are of."""

    def __init__(self, split: Path) -> None:
        text = b"".join(_blocks(split))
        self._columns = split_lines(text) if text else []
        self._taken = 0
        empty = pc.equal(self._columns[ALT], binary(_EMPTY)) if text else pa.array([], pa.bool_())
        self.some_empty = bool(empty.true_count)
        if self.some_empty:
            self._columns[INFO] = _with_flag(self._columns[INFO], empty)

    def in_place_of(self, columns: list[pa.Array], several: pa.Array) -> list[pa.Array]:
        counts = pc.add(pc.count_substring(columns[ALT].filter(several), ","), 1)
        ends = pc.cumulative_sum(counts.cast(pa.int32()))
        total = ends[-1].as_py()
        rows = [column.slice(self._taken, total) for column in self._columns]
        self._taken += total
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
        one_each = pa.ListArray.from_arrays(offsets, pa.nulls(total))
        records = pc.indices_nonzero(several).take(pc.list_parent_indices(one_each))
        if not rows or any(not rows[at].equals(columns[at].take(records)) for at in _PLACE):
            raise AnnotatorFailed("the split changed more than the alleles of a record")
        whole = pc.invert(several)
        numbers = pa.concat_arrays([pc.indices_nonzero(whole), records])
        order = pc.array_sort_indices(numbers)  # which is stable
        return [
            pa.concat_arrays([column.filter(whole), row]).take(order)
            for column, row in zip(columns, rows, strict=True)
        ]

    def check_all_taken(self) -> None:
        if self._taken != (len(self._columns[POS]) if self._columns else 0):
            raise AnnotatorFailed("the split made more alleles than there are")


def _with_flag(infos: pa.Array, wrong: pa.Array) -> pa.Array:
    flag = binary(SKIP + Reason.MALFORMED.encode())
    return pc.if_else(wrong, pc.binary_join_element_wise(infos, flag, binary(b";")), infos)


def _flagged(infos: pa.Array) -> pa.Array:
    return pc.match_substring(marked(infos), ";GAS_SKIP=")


def _check_genotypes(columns: list[pa.Array]) -> None:
    """Look where the split hides it: there an allele that is not in ALT becomes the REF's."""
    told = genotypes.told(columns)
    if genotypes.some_out_of_range(columns[ALT], columns[INFO], told):
        raise UnreadableError("a genotype names an allele that is not in ALT")


def _without_zeros(positions: pa.Array) -> pa.Array:
    """Take leading zeros away, with which an index would take a position for octal."""
    odd = pc.starts_with(positions, pattern="0")
    if not odd.true_count:
        return positions
    plain = [position.lstrip(b"0") or b"0" for position in positions.filter(odd).to_pylist()]
    return pc.replace_with_mask(positions, odd, pa.array(plain, pa.binary()))


def _with_dots(columns: list[pa.Array], flagged: pa.Array | None) -> list[pa.Array]:
    columns = list(columns)
    for at in (ID, FILTER, INFO):
        odd = pc.equal(columns[at], binary(b""))
        if at == INFO:
            odd = pc.or_(odd, pc.ends_with(columns[at], pattern=";"))
        odd = odd if flagged is None else pc.and_not(odd, flagged)
        if odd.true_count:
            plain = [cell.rstrip(b";") or b"." for cell in columns[at].filter(odd).to_pylist()]
            columns[at] = pc.replace_with_mask(columns[at], odd, pa.array(plain, pa.binary()))
    return columns


def _without(infos: pa.Array, tag: bytes, flagged: pa.Array | None) -> pa.Array:
    theirs = pc.match_substring(infos, tag.decode())
    theirs = theirs if flagged is None else pc.and_not(theirs, flagged)
    kept = (
        b";".join(item for item in info.split(b";") if item.partition(b"=")[0] != tag) or b"."
        for info in infos.filter(theirs).to_pylist()
    )
    return pc.replace_with_mask(infos, theirs, pa.array(kept, pa.binary()))
