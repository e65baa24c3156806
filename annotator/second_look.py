"""Alleles that `bcftools annotate` does not find at first: repeated ones, and ones written longer.

It pairs each record of a source with one record of the file, and sources write an allele as short
and as far to the left as it goes. So these alleles are written once each, moved by `bcftools norm`,
looked up there, and what was found is put on all the records they came from, which stay as they
were.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pysam

from annotator.bgzf import BgzfWriter

LINES = "%CHROM\\t%POS\\t%REF\\t%ALT\\n"  # what `bcftools query` is asked for
ORIGIN = b"GAS_WAS"
_COMPRESSION = 1
_META = b"""##fileformat=VCFv4.2
##INFO=<ID=GAS_SKIP,Number=1,Type=String,Description="Why there is no annotation">
##INFO=<ID=GAS_WAS,Number=.,Type=String,Description="Position, REF and ALT of the record">
"""
_NAMES = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
_REPEATED = b"repeated|"
Cells = tuple[bytes, ...]


def write_candidates(alleles: Path, target: Path, contigs: set[bytes]) -> bool:
    """Write the alleles of a file of LINES that may need it to a VCF; False when there are none.

    Only alleles on `contigs`, those of the sequence, can be moved.
    """
    lines = alleles.read_bytes().split(b"\n")[:-1]
    repeated: set[bytes] = set()
    if len(set(lines)) < len(lines):
        repeated = {line for line, times in Counter(lines).items() if times > 1}
    rows: list[Cells] = []
    for line in dict.fromkeys(line for line in lines if line in repeated or _is_long(line)):
        contig, *allele = line.split(b"\t")
        if contig not in contigs:
            continue
        mark = _REPEATED if line in repeated else b""
        rows.append((contig, *allele, mark + b"|".join(allele)))
    target.write_bytes(_vcf(rows))
    return bool(rows)


def keep_moved(normalised: Path, target: Path) -> bool:
    """Write moved and repeated alleles, each once, to an indexed VCF; False when there are none."""
    origins: dict[Cells, list[bytes]] = defaultdict(list)
    for contig, pos, _, ref, alt, _, _, info in _rows(normalised):
        origin = info.removeprefix(ORIGIN + b"=")
        if origin != b"|".join((pos, ref, alt)):
            origins[contig, pos, ref, alt].append(origin.removeprefix(_REPEATED))
    rows = [(*allele, b",".join(several)) for allele, several in origins.items()]
    with BgzfWriter(target, _COMPRESSION) as file:
        file.write(_vcf(sorted(rows, key=_place)))
    if rows:
        pysam.tabix_index(str(target), preset="vcf", force=True)
    return bool(rows)


def put_back(looked_up: Path, target: Path, tags: list[bytes]) -> None:
    """Write an indexed table of contig, position, REF, ALT and the tags, by the records' places."""
    found: list[Cells] = []
    for contig, *_, info in _rows(looked_up):
        said = dict(item.split(b"=", 1) for item in info.split(b";"))
        values = [said.get(tag, b".") for tag in tags]
        origins = (origin.split(b"|") for origin in said[ORIGIN].split(b","))
        found += [(contig, *origin, *values) for origin in origins]
    with BgzfWriter(target, _COMPRESSION) as file:
        file.write(b"".join(b"\t".join(row) + b"\n" for row in sorted(found, key=_place)))
    pysam.tabix_index(str(target), seq_col=0, start_col=1, end_col=1, force=True)


def _vcf(rows: Iterable[Cells]) -> bytes:
    """Return records of contig, position, REF, ALT and origin as a VCF."""
    lines, contigs = [], {}
    for contig, pos, ref, alt, origin in rows:
        contigs[contig] = b"##contig=<ID=%s>\n" % contig
        lines.append(b"%s\t%s\t.\t%s\t%s\t.\t.\tGAS_WAS=%s\n" % (contig, pos, ref, alt, origin))
    return b"".join([_META, *contigs.values(), _NAMES, *lines])


def _place(row: Cells) -> tuple[bytes, int]:
    return row[0], int(row[1])


def _is_long(line: bytes) -> bool:
    return line[-2:-1] != b"\t" or line[-4:-3] != b"\t"


def _rows(file: Path) -> Iterator[list[bytes]]:
    with file.open("rb") as lines:
        for line in lines:
            if not line.startswith(b"#"):
                yield line.rstrip(b"\n").split(b"\t")
