"""Make example.vcf: invented variants on the real bases of the demo reference.

    python -m dev.make_example

The seed is fixed, so the file comes out the same each time.
"""

import random
from pathlib import Path

import pysam

from annotator.bundles import DEMO, Bundle, Contig, load

EXAMPLE = DEMO / "example.vcf"
SEED = 16
CODING, NEARBY, MITOCHONDRIAL = 70, 30, 30
SYMBOLIC_START, SYMBOLIC_END = 312000, 316499
TRANSITION = {"A": "G", "G": "A", "C": "T", "T": "C"}
HEADER = """\
##fileformat=VCFv4.2
##source=synthetic example: positions and alleles are invented, no person carries this set
##reference=GRCh38
##FILTER=<ID=q20,Description="Quality below 20">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Read depth">
##INFO=<ID=END,Number=1,Type=Integer,Description="Last base of a structural variant">
##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Kind of a structural variant">
##ALT=<ID=DEL,Description="Deletion">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tEXAMPLE
"""


class Author:
    """Invents records on one contig, a position at most once."""

    def __init__(self, bundle: Bundle, contig: Contig, dice: random.Random) -> None:
        self._bases = pysam.FastaFile(str(bundle.fasta)).fetch(contig.name)
        self._name, self._dice = contig.aliases[0], dice
        self.records: dict[int, str] = {}

    def write(self, places: list[int], count: int) -> None:
        """Add `count` records at places (1-based) drawn from `places`."""
        for place in self._dice.sample(places, count):
            if all(abs(place - other) > 12 for other in self.records):
                self._add(place, *self._alleles(place))

    def write_deletion(self, start: int, end: int) -> None:
        """Add one symbolic deletion."""
        self._add(start, self._at(start, 1), "<DEL>", f"SVTYPE=DEL;END={end};")

    def _alleles(self, place: int) -> tuple[str, str]:
        ref = self._at(place, 1)
        kind = self._dice.random()
        others = [base for base in "ACGT" if base != ref]
        if kind < 0.6:
            return ref, TRANSITION[ref] if self._dice.random() < 0.67 else self._dice.choice(others)
        if kind < 0.75:
            return ref, ",".join(sorted(self._dice.sample(others, 2)))
        length = self._dice.choice((1, 1, 2, 3, 3, 4, 6))
        if kind < 0.88:
            return self._at(place, length + 1), ref
        return ref, ref + "".join(self._dice.choices("ACGT", k=length))

    def _at(self, place: int, length: int) -> str:
        return self._bases[place - 1 : place - 1 + length].upper()

    def _add(self, place: int, ref: str, alt: str, info: str = "") -> None:
        quality, depth = self._dice.randint(12, 99), self._dice.randint(14, 80)
        verdict = "PASS" if quality >= 20 else "q20"
        genotype = "1/2" if "," in alt else self._dice.choice(("0/1", "0/1", "1/1"))
        fields = (self._name, place, ".", ref, alt, quality, verdict, f"{info}DP={depth}", "GT:DP")
        self.records[place] = "\t".join(map(str, (*fields, f"{genotype}:{depth}")))


def main() -> None:
    """Write the example file."""
    bundle, dice = load(DEMO), random.Random(SEED)
    nuclear, mitochondrion = bundle.contigs
    author = Author(bundle, nuclear, dice)
    author.write(places(nuclear, "CDS"), CODING)
    author.write(places(nuclear, "gene"), NEARBY)
    author.write_deletion(SYMBOLIC_START, SYMBOLIC_END)
    other = Author(bundle, mitochondrion, dice)
    other.write(places(mitochondrion, "CDS") + places(mitochondrion, "rRNA"), MITOCHONDRIAL)
    lines = [each.records[place] for each in (author, other) for place in sorted(each.records)]
    EXAMPLE.write_text(HEADER + "\n".join(lines) + "\n")


def places(contig: Contig, kind: str) -> list[int]:
    """List the positions inside the contig's features of one kind."""
    rows = [line.split("\t") for line in (contig.genes or Path()).read_text().splitlines()]
    spans = [(int(row[3]), int(row[4])) for row in rows if len(row) > 2 and row[2] == kind]
    return sorted({place for start, end in spans for place in range(start, end + 1)})


if __name__ == "__main__":
    main()
