"""What a bundle's known variants say of the sites of a shard.

`bcftools annotate` matches an allele by contig, position, REF and ALT, and pairs each record of a
source with one site. Sources write an allele as short and as far to the left as it goes, so one
that may go further is looked up in both ways.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pysam

from annotator.bgzf import BgzfWriter
from annotator.bundles import Bundle, Source
from annotator.columns import (
    ID,
    INFO,
    binary,
    text_in,
    together,
)
from annotator.engines.text import split_header, text_of
from annotator.sites import ALLELE, Sites, as_numbers, columns_of, line_of, regions, vcf
from annotator.stages import bare

SITES = "sites.vcf.gz"
DECLARES = b"##INFO=<ID=GAS_"
_COMPRESSION = 1
_ALL = 1 << 30  # bytes, more than any allele has
# In a stretch of N every deletion could be moved for millions of bases.
_PLAIN = "^[ACGT]+$"


@dataclass(frozen=True)
class Said:
    """INFO fields of each site, null where there are none, and the header lines of the fields."""

    fields: pa.Array
    declarations: tuple[bytes, ...] = ()


class Sources:
    """One shard's use of the sources of its bundle; `commands` are those run, without paths."""

    def __init__(self, bundle: Bundle, work: Path) -> None:
        self._bundle, self._work = bundle, work
        self._lengths = {contig.name.encode(): contig.length for contig in bundle.contigs}
        self._made = 0
        self.commands: list[list[str]] = []

    def look_up(self, sites: Sites) -> Said:
        """Return what the sources say of sites, which may use any name of a contig."""
        if not self._bundle.sources:
            return Said(pa.nulls(len(sites.lines), pa.binary()))
        alleles = self._under_own_names(sites)
        may_move = movable(*alleles[2:])
        here = line_of(*alleles)
        moved = self._moved([column.filter(may_move) for column in alleles])
        known, infos, header = self._known(pa.concat_arrays([here, moved]))
        fields = infos.take(pc.index_in(here, value_set=known))
        others = infos.take(pc.index_in(moved, value_set=known))
        both = zip(fields.filter(may_move).to_pylist(), others.to_pylist(), strict=True)
        fields = pc.replace_with_mask(
            fields, may_move, pa.array([merged(*pair) for pair in both], pa.binary())
        )
        return Said(fields, tuple(line for line in header if line.startswith(DECLARES)))

    def _under_own_names(self, sites: Sites) -> list[pa.Array]:
        """Return contig, position, REF and ALT; the contig is null where the bundle has none."""
        contigs, positions, *alleles = sites.alleles
        coded, names = contigs.dictionary_encode(), self._bundle.names()
        found = [names.get(name) for name in coded.dictionary.to_pylist()]
        own = pa.array([one and one.name.encode() for one in found], pa.binary())
        upper = [pc.ascii_upper(one.cast(pa.string())).cast(pa.binary()) for one in alleles]
        return [own.take(coded.indices), positions, *upper]

    def _moved(self, alleles: list[pa.Array]) -> pa.Array:
        """Return the sites of alleles as short and as far to the left as they go."""
        count = len(alleles[0])
        if not count:
            return pa.array([], pa.binary())
        contig, position, ref, alt = alleles
        numbers = pa.array(range(count)).cast(pa.string()).cast(pa.binary())
        written = self._work / "movable.vcf"
        rest = binary(b".\t.\t.\n")
        lines = together(contig, position, numbers, ref, alt, rest)
        written.write_bytes(vcf(self._lengths, text_in(lines)))
        how = ["-f", str(self._bundle.fasta), "-c", "w", "-w", "0"]
        _, moved, numbers = self._ran("norm", how, written, ID)
        return moved.take(pc.array_sort_indices(as_numbers(numbers)))

    def _known(self, lines: pa.Array) -> tuple[pa.Array, pa.Array, list[bytes]]:
        """Return the sites of which a source says anything, with their INFO, and a header."""
        near = self._near(lines)
        *others, last = self._bundle.sources
        records = self._work / SITES
        for source in others:
            records = self._on(source, near, records)
        header, told, infos = self._ran("annotate", [*_columns(last), *near], records, INFO)
        some = pc.not_equal(infos, binary(b"."))
        return told.filter(some), infos.filter(some), header

    def _near(self, lines: pa.Array) -> list[str]:
        """Write sites by contig and position, each once, with an index.

        Returns what keeps a command from reading a source where no sites are.
        """
        sites = Sites(lines.drop_null().unique())
        contigs, positions = sites.alleles[0], as_numbers(sites.alleles[1])
        table = pa.table({"contig": contigs, "position": positions})
        order = pc.sort_indices(table, [(name, "ascending") for name in table.column_names])
        with BgzfWriter(self._work / SITES, _COMPRESSION) as file:
            file.write(vcf(self._lengths, text_in(sites.lines.take(order))))
        pysam.tabix_index(str(self._work / SITES), preset="vcf", force=True, csi=True)
        found, target = regions(contigs.take(order), positions.take(order)), self._work / "regions"
        target.write_bytes(found or b"")
        return ["-R", str(target), "--regions-overlap", "0"] if found else []

    def _on(self, source: Source, near: list[str], records: Path) -> Path:
        """Put a source's columns on the sites for the next one's command."""
        self._made += 1
        target = self._work / f"known-{self._made}.bcf"
        written = ["--no-version", "--write-index", "-Ob0", "-o", str(target), str(records)]
        arguments = ["annotate", *_columns(source), *near, *written]
        self.commands.append(list(map(bare, arguments)))
        for _ in text_of(arguments, self._work / "sources.log"):
            pass  # it goes to the file
        return target

    def _ran(
        self, command: str, options: list[str], records: Path, told: int
    ) -> tuple[list[bytes], pa.Array, pa.Array]:
        """Run a command over sites; return the header, the sites and one more column it writes."""
        arguments = [command, *options, "--no-version", "-Ov", "-o", "-", str(records)]
        self.commands.append(list(map(bare, arguments)))
        header, blocks = split_header(text_of(arguments, self._work / "sources.log"))
        *site, column = columns_of(blocks, *ALLELE, told)
        return header, line_of(*site), column


def _columns(source: Source) -> list[str]:
    assigned = ",".join(f"INFO/{ours}:={theirs}" for ours, theirs in source.columns.items())
    return ["-a", str(source.path), "-c", assigned, "--pair-logic", "exact"]


def movable(ref: pa.Array, alt: pa.Array) -> pa.Array:
    """Tell which alleles can be moved or trimmed (Tan et al., 2015), where the bases are known."""
    lengths = [pc.binary_length(allele) for allele in (ref, alt)]
    longer = pc.greater(pc.min_element_wise(*lengths), 1)
    first, last = (
        pc.equal(*(pc.binary_slice(allele, *part) for allele in (ref, alt)))
        for part in ((0, 1), (-1, _ALL))
    )
    movable = pc.or_(last, pc.and_(longer, first))
    return pc.and_(movable, pc.match_substring_regex(ref, pattern=_PLAIN))


def merged(here: bytes | None, moved: bytes | None) -> bytes | None:
    """Return the fields of an allele, with those that only its other form has behind them."""
    if here is None or moved is None:
        return here or moved
    tags = {field.partition(b"=")[0] for field in here.split(b";")}
    others = [field for field in moved.split(b";") if field.partition(b"=")[0] not in tags]
    return b";".join([here, *others])
