"""Many variants of a bundle's genes, and what an engine says of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pysam
import pysam.bcftools

from annotator.bundles import Bundle, Contig
from annotator.consequence import Effect
from annotator.engines import Engine, Unit

BASES = "ACGT"
AROUND = 12  # bases of intron on each side of an exon
INDEL_EVERY = 11  # positions taken
_HEAD = """##fileformat=VCFv4.2
##contig=<ID={contig}>
##INFO=<ID=GAS_SKIP,Number=1,Type=String,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
"""
Change = tuple[int, str, str]  # position, REF, ALT


@dataclass(frozen=True)
class Told:
    """What an engine wrote: its header, and of each change INFO and the effects."""

    header: list[str]
    info: dict[Change, str]
    effects: dict[Change, list[Effect]]


def changes(bundle: Bundle, contig: Contig, *, every: int) -> list[Change]:
    """Return a change of each `every`th base in and around the exons, insertions and deletions."""
    with pysam.FastaFile(str(bundle.fasta)) as fasta:
        sequence = fasta.fetch(contig.name).upper()
    places = sorted({at for first, last in _exons(contig) for at in range(first, last + 1)})
    found: list[Change] = []
    for number, at in enumerate(places[::every]):
        ref, size = sequence[at - 1], at % 4 + 1
        if ref in BASES:
            found.append((at, ref, BASES[(BASES.index(ref) + 1 + number % 3) % 4]))
            longer = sequence[at - 1 : at + size]
            if number % INDEL_EVERY == 0 and set(longer) <= set(BASES):
                found += [(at, longer, ref), (at, ref, ref + BASES[:size])]
    return found


def told(engine: Engine, contig: Contig, wanted: list[Change], folder: Path) -> Told:
    """Have the engine annotate the changes."""
    source, records = folder / "changes.vcf", folder / "changes.bcf"
    rows = (f"{contig.name}\t{at}\t.\t{ref}\t{alt}\t.\t.\t.\n" for at, ref, alt in wanted)
    source.write_text(_HEAD.format(contig=contig.name) + "".join(rows))
    pysam.bcftools.view("-Ob", "-o", str(records), str(source), catch_stdout=False)
    text = b"".join(engine.annotate(records, Unit((contig.name,), contig))).decode()
    lines = text.splitlines()
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    info = {(int(row[1]), row[3], row[4]): row[7] for row in cells}
    return Told(
        header=[line for line in lines if line.startswith("#")],
        info=info,
        effects={change: effects_in(engine, fields) for change, fields in info.items()},
    )


def effects_in(engine: Engine, info: str) -> list[Effect]:
    """Return what an INFO column says, by the engine's own reader."""
    field = engine.info_field
    values = [
        item.partition("=")[2] for item in info.split(";") if item.startswith(f"{field.tag}=")
    ]
    return field.effects_of(values[0]) if values else []


def _exons(contig: Contig) -> Iterator[tuple[int, int]]:
    assert contig.genes is not None
    for line in contig.genes.read_text().splitlines():
        cells = line.split("\t")
        if len(cells) > 8 and cells[2] == "exon":
            yield max(1, int(cells[3]) - AROUND), min(contig.length - 9, int(cells[4]) + AROUND)
