"""VCFs that hypothesis draws by grammar: every kind of allele, number, name and order."""

from dataclasses import dataclass

import pysam
from hypothesis import strategies as st

from annotator.bundles import DEMO

HEAD = """##fileformat=VCFv4.3
##FILTER=<ID=q10,Description="low">
##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">
##INFO=<ID=AF,Number=A,Type=Float,Description="frequency">
##INFO=<ID=XR,Number=R,Type=Integer,Description="per allele">
##INFO=<ID=DB,Number=0,Type=Flag,Description="known">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="depths">
##FORMAT=<ID=GF,Number=1,Type=Float,Description="quality">
##contig=<ID=chr16,length=90338345>
##contig=<ID=MT,length=16569>
##contig=<ID=HLA>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB
"""
#: What the records use and the header lacks, as the annotator declares it.
FORGOTTEN = """##FILTER=<ID=new,Description="x">
##INFO=<ID=NEW,Number=.,Type=String,Description="x">
##INFO=<ID=FLAG,Number=0,Type=Flag,Description="x">
"""
UNKNOWN = "HLA"
ODD = ("<DEL>", "*", "A[MT:9[", "R", "<NON_REF>", "G.")
PLAIN = ("A", "C", "G", "T", "ACG", "TTTTTT", "c")
_FASTA = pysam.FastaFile(str(DEMO / "genome.fa.gz"))
# Where the demo reference has bases and genes, and a stretch whose alleles nobody compares.
PLACES = {"chr16": ("16", 189_000, 205_000), "MT": ("MT", 3_300, 4_300), UNKNOWN: ("MT", 1, 90)}
SEQUENCES = {
    contig: _FASTA.fetch(name, first - 1, last + 50).upper()
    for contig, (name, first, last) in PLACES.items()
}


@dataclass(frozen=True)
class Record:
    """A drawn record as cells, REF as the reference has it."""

    cells: tuple[str, ...]

    @property
    def line(self) -> str:
        """The record as it stands in the file, without a newline."""
        return "\t".join(self.cells)

    @property
    def order(self) -> tuple[int, int]:
        """Where it belongs."""
        return list(PLACES).index(self.cells[0]), int(self.cells[1])

    @property
    def stays_whole(self) -> bool:
        """Whether the split must leave it alone: one ALT, or none that may be annotated."""
        alts = self.cells[4].split(",")
        return len(alts) == 1 or self.cells[0] == UNKNOWN or set(alts) <= set(ODD)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Draw a record whose parts fit together."""
    contig = draw(st.sampled_from(("chr16", "MT", "MT", UNKNOWN)))
    _, first, last = PLACES[contig]
    pos = draw(st.integers(first, last))
    length = draw(st.sampled_from((1, 1, 1, 2, 3, 20)))
    ref = SEQUENCES[contig][pos - first :][:length]
    alts = draw(st.lists(st.sampled_from((*PLAIN, *ODD)), max_size=4, unique=True))
    alts = [alt for alt in alts if alt != ref]
    quality = draw(st.sampled_from((".", "30.00", "1e2", "7", "0.5000")))
    mark = draw(st.sampled_from(("PASS", ".", "q10", "q10;new")))
    name = draw(st.sampled_from((".", "rs1", "rs1;rs2", "=1+1", "@x", '"q')))
    fields = _info(draw, len(alts)), *_samples(draw, len(alts))
    return Record((contig, str(pos), name, ref, ",".join(alts) or ".", quality, mark, *fields))


def _info(draw: st.DrawFn, alts: int) -> str:
    number = st.sampled_from(("0.5000", "1e-3", "0.25", "."))
    each = ",".join(draw(st.lists(number, min_size=alts, max_size=alts)))
    items = ["DP=007", "DB", "NEW=a%3Bb", f"XR={','.join('123456'[: alts + 1])}", "FLAG"]
    items += [f"AF={each}"] if alts else []
    return ";".join(draw(st.lists(st.sampled_from(items), unique=True, max_size=4))) or "."


def _samples(draw: st.DrawFn, alts: int) -> tuple[str, str, str]:
    allele = st.sampled_from((*map(str, range(alts + 1)), "."))
    ploidy, mark = draw(st.integers(1, 3)), draw(st.sampled_from("/|"))
    genotypes = (mark.join(draw(allele) for _ in range(ploidy)) for _ in "AB")
    shape = draw(st.sampled_from(("GT", "GT:AD", "GT:GF")))
    value = {"GT": "", "GT:AD": ":" + ",".join("9876543"[: alts + 1]), "GT:GF": ":9.50"}[shape]
    one, other = (genotype + value for genotype in genotypes)
    return shape, one, other


@st.composite
def files(draw: st.DrawFn) -> list[Record]:
    """Draw the records of a file, in order or not."""
    drawn = draw(st.lists(records(), min_size=1, max_size=25))
    return sorted(drawn, key=lambda one: one.order) if draw(st.booleans()) else drawn
