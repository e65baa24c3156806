"""Where the records of a shard lie: read from its text, in bulk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from annotator.columns import ALT, CONTIG, POS, REF, read_columns
from annotator.inputs import READ_BYTES, whole_lines
from annotator.originals import FLAG

APART = 1 << 14  # bases between records that are worth a jump: what one entry of an index covers
INDEXED = 1 << 29  # where a .tbi ends
_COLUMNS = b"#CHROM\t"


@dataclass(frozen=True)
class Sites:
    """Columns of record lines, sorted within each contig."""

    contigs: pa.Array
    positions: pa.Array
    refs: pa.Array
    alts: pa.Array
    plain: bool = True  # no record has a flag, and every ALT is a sequence of bases

    @property
    def before_first_base(self) -> bool:
        """Whether a record stands at position 0, as telomeres may: no index leads there."""
        return any(position.strip(b"0") == b"" for position in self._firsts())

    def write_regions(self, target: Path, swap: Mapping[bytes, bytes]) -> bool:
        """Write what `bcftools -R` reads, with names swapped; False where an index cannot help."""
        regions = list(self._regions())
        if not regions or any(first < 1 or last >= INDEXED for _, first, last in regions):
            return False
        target.write_bytes(
            b"".join(
                b"%s\t%d\t%d\n" % (swap.get(name, name), first, last)
                for name, first, last in regions
            )
        )
        return True

    def _firsts(self) -> list[bytes]:
        start = pc.starts_with(self.positions, pattern="0")
        firsts: list[bytes] = self.positions.filter(start).to_pylist()
        return firsts

    def _regions(self) -> Iterator[tuple[bytes, int, int]]:
        """Yield the stretches that hold all records, without the long ones that hold none."""
        if not len(self.contigs):
            return
        numbers = self.positions.cast(pa.string()).cast(pa.int64())
        far = pc.greater(pc.subtract(numbers[1:], numbers[:-1]), APART)
        cut = pc.or_(far, pc.not_equal(self.contigs[1:], self.contigs[:-1]))
        first = 0
        for last in [*pc.indices_nonzero(cut).to_pylist(), len(numbers) - 1]:
            yield self.contigs[last].as_py(), numbers[first].as_py(), numbers[last].as_py()
            first = last + 1


def sites_of(shard: Path) -> Sites:
    """Read the text of a shard, of which only these columns are ever held whole."""
    parts: list[list[pa.Array]] = []
    flagged = False
    with shard.open("rb") as file:
        width = next(line.count(b"\t") for line in file if line.startswith(_COLUMNS)) + 1
        for block in whole_lines(iter(lambda: file.read(READ_BYTES), b"")):
            parts.append(read_columns(block, width, (CONTIG, POS, REF, ALT)))
            flagged |= FLAG in block
    if not parts:
        none = pa.array([], pa.binary())
        return Sites(none, none, none, none)
    contigs, positions, refs, alts = (pa.concat_arrays(each) for each in zip(*parts, strict=True))
    bases = pc.match_substring_regex(alts, pattern="^[ACGTacgt,]*$")
    return Sites(contigs, positions, refs, alts, bases.false_count == 0 and not flagged)
