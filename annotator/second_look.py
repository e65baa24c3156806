"""Alleles that `bcftools annotate` does not find at first: repeated ones, and ones written longer.

It pairs each record of a source with one record of the file, and sources write an allele as short
and as far to the left as it goes. So these alleles are written once each, moved by `bcftools norm`,
looked up there, and what was found is put on all the records they came from, which else stay as
they were.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pysam

from annotator.bgzf import BgzfWriter
from annotator.bundles import Contig
from annotator.columns import ALT, CONTIG, INFO, POS, REF, together
from annotator.sites import Sites

ORIGIN = b"GAS_WAS"
_COMPRESSION = 1
_META = b"""##fileformat=VCFv4.2
##INFO=<ID=GAS_SKIP,Number=1,Type=String,Description="Why there is no annotation">
##INFO=<ID=GAS_WAS,Number=.,Type=String,Description="Position, REF and ALT of the record">
"""
_NAMES = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
# In a stretch of N every deletion could be moved for millions of bases.
_PLAIN = re.compile(rb"[ACGTacgt]+")


class Allele(NamedTuple):
    """One allele, under the bundle's name of its contig."""

    contig: bytes
    position: bytes
    ref: bytes
    alt: bytes


Fields = list[tuple[bytes, bytes]]  # tag and value
Found = dict[Allele, Fields]


def candidates(sites: Sites, names: Mapping[bytes, Contig], *, every: bool = False) -> list[Allele]:
    """Return the alleles that may need it, or `every` one that can be looked up."""
    odd = pc.or_(_of_several_bases(sites), _perhaps_repeated(sites))
    odd = pc.or_(odd, pa.scalar(every))
    columns = (sites.contigs, sites.positions, sites.refs, sites.alts)
    times: dict[tuple[str, bytes, bytes, bytes], int] = {}
    for name, position, ref, several in zip(
        *(_cells(column, odd) for column in columns), strict=True
    ):
        contig = names.get(name)
        if contig and 0 < int(position) <= contig.length + 1 - len(ref):
            for alt in several.split(b",") if b"," in several else (several,):
                allele = (contig.name, position, ref, alt)
                times[allele] = times.get(allele, 0) + 1
    return [
        Allele(contig.encode(), position, ref, alt)
        for (contig, position, ref, alt), n in times.items()
        if (every or n > 1 or not _is_shortest(ref, alt))
        and _PLAIN.fullmatch(ref)
        and _PLAIN.fullmatch(alt)
    ]


def write_candidates(alleles: Iterable[Allele], target: Path) -> None:
    """Write alleles to a VCF for `bcftools norm`."""
    target.write_bytes(_vcf((*allele, b"|".join(allele[1:])) for allele in alleles))


def keep_apart(normalised: Path, target: Path) -> Sites:
    """Write the alleles that `bcftools norm` wrote, each once, to an indexed VCF."""
    origins: dict[Allele, list[bytes]] = defaultdict(list)
    for contig, pos, _, ref, alt, _, _, info in _rows(normalised):
        origins[Allele(contig, pos, ref, alt)].append(info.removeprefix(ORIGIN + b"="))
    alleles = sorted(origins, key=lambda allele: (allele.contig, int(allele.position)))
    with BgzfWriter(target, _COMPRESSION) as file:
        file.write(_vcf((*allele, b",".join(origins[allele])) for allele in alleles))
    pysam.tabix_index(str(target), preset="vcf", force=True)
    return Sites(*(pa.array(cells, pa.binary()) for cells in zip(*alleles, strict=True)))


def declarations(looked_up: Path) -> bytes:
    """Return the header lines that declare the sources' columns."""
    lines = looked_up.read_bytes().split(b"\n")
    own = (ORIGIN, b"GAS_SKIP")
    return b"".join(
        line + b"\n"
        for line in lines
        if line.startswith(b"##INFO=<ID=GAS_") and line[11:].split(b",")[0] not in own
    )


def read_found(looked_up: Path) -> Found:
    """Return what the sources say of each allele, where they say anything."""
    found: Found = {}
    for contig, *_, info in _rows(looked_up):
        fields = [(tag, value) for tag, _, value in (i.partition(b"=") for i in info.split(b";"))]
        said = [field for field in fields if field[0] != ORIGIN]
        if said:
            for origin in dict(fields)[ORIGIN].split(b","):
                found[Allele(contig, *origin.split(b"|"))] = said
    return found


class SecondLook:
    """Puts what was found on the records; `engine` is the field that stands last in INFO."""

    def __init__(self, found: Found, names: Mapping[bytes, Contig], engine: str) -> None:
        self.found, self._names = found, names
        self._last = b";" + engine.encode() + b"="
        positions = sorted({allele.position for allele in found})
        self._positions = pa.array(positions, pa.binary())

    def put_on(self, columns: list[pa.Array]) -> pa.Array:
        """Return the INFO column with the fields that it lacks; flagged records have none."""
        if not self.found:
            return columns[INFO]
        near = pc.is_in(columns[POS], value_set=self._positions)
        if not near.true_count:
            return columns[INFO]
        cells = (columns[at].filter(near).to_pylist() for at in (CONTIG, POS, REF, ALT, INFO))
        infos = [self._with_fields(*row) for row in zip(*cells, strict=True)]
        return pc.replace_with_mask(columns[INFO], near, pa.array(infos, pa.binary()))

    def _with_fields(
        self, name: bytes, position: bytes, ref: bytes, alt: bytes, info: bytes
    ) -> bytes:
        contig = self._names.get(name)
        if contig is None or b"GAS_SKIP=" in info:
            return info
        fields = self.found.get(Allele(contig.name.encode(), position, ref, alt), [])
        before, mark, after = (b";" + info).rpartition(self._last)
        if not mark:
            before, after = b"" if info == b"." else b";" + info, b""
        added = b"".join(
            b";%s=%s" % (tag, value) for tag, value in fields if b";%s=" % tag not in before
        )
        return (before + added + mark + after)[1:] if added else info


def _cells(column: pa.Array, where: pa.Array) -> list[bytes]:
    cells: list[bytes] = column.filter(where).to_pylist()
    return cells


def _of_several_bases(sites: Sites) -> pa.Array:
    lengths = (pc.binary_length(alleles) for alleles in (sites.refs, sites.alts))
    return pc.or_(*(pc.greater(length, 1) for length in lengths))


def _perhaps_repeated(sites: Sites) -> pa.Array:
    """Tell which records share a place and alleles with others, or a place with several alleles."""
    several = sites.positions.filter(pc.match_substring(sites.alts, ",")).unique()
    beside = pc.is_in(sites.positions, value_set=several)
    if pc.equal(sites.positions[1:], sites.positions[:-1]).true_count == 0:
        return beside
    words = together(sites.positions, sites.refs, sites.alts).dictionary_encode()
    found = pc.value_counts(words.indices)
    repeated = found.field(0).filter(pc.greater(found.field(1), 1))
    return pc.or_(beside, pc.is_in(words.indices, value_set=repeated))


def _is_shortest(ref: bytes, alt: bytes) -> bool:
    """Tell whether an allele can be neither moved nor trimmed (Tan et al., 2015)."""
    ref, alt = ref.upper(), alt.upper()
    return ref[-1:] != alt[-1:] and (len(ref) == 1 or len(alt) == 1 or ref[0] != alt[0])


def _vcf(rows: Iterable[tuple[bytes, ...]]) -> bytes:
    """Return records of contig, position, REF, ALT and origin as a VCF."""
    lines, contigs = [], {}
    for contig, pos, ref, alt, origin in rows:
        contigs[contig] = b"##contig=<ID=%s>\n" % contig
        lines.append(b"%s\t%s\t.\t%s\t%s\t.\t.\tGAS_WAS=%s\n" % (contig, pos, ref, alt, origin))
    return b"".join([_META, *contigs.values(), _NAMES, *lines])


def _rows(file: Path) -> Iterator[list[bytes]]:
    with file.open("rb") as lines:
        for line in lines:
            if not line.startswith(b"#"):
                yield line.rstrip(b"\n").split(b"\t")
