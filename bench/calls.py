"""A synthetic call set of one sample: nine in ten substitutions, a hundredth of two alleles."""

import random
from collections.abc import Iterator

import pysam

from annotator.bundles import Bundle

LARGEST_REGION = 4 << 20  # bases; the calls are as dense as they can be
DELETED = 3  # bases at most
MULTIPLE = 0.01
BASES = "ACGT"
KINDS = 10  # for each three bases: nine substitutions and one insertion or deletion
OTHERS = {"A": "GCT", "C": "TAG", "G": "ACT", "T": "CAG"}
HEADER = """##fileformat=VCFv4.2
##contig=<ID={name},length={length}>
##FILTER=<ID=LowQual,Description="Low quality">
##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=MQ,Number=1,Type=Float,Description="Mapping quality">
##INFO=<ID=QD,Number=1,Type=Float,Description="Quality by depth">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depth of each allele">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tEXAMPLE
"""


def calls(bundle: Bundle, count: int) -> Iterator[str]:
    """Yield a header and records on the bundle's first known bases, sorted; the same each time."""
    contig, dice = bundle.contigs[0], random.Random(1)
    with pysam.FastaFile(str(bundle.fasta)) as fasta:
        bases = fasta.fetch(contig.name).upper()
    start = len(bases) - len(bases.lstrip("N"))
    region = bases[start : start + LARGEST_REGION].partition("NNNNNNNNNN")[0]
    known = [at for at, base in enumerate(region[:-DELETED]) if base in BASES]
    possible = len(known) // 3 * KINDS
    copies = count // possible + 1  # nothing is called twice before everything is called
    yield HEADER.format(name=contig.name, length=contig.length)
    for choice in sorted(dice.sample(range(possible * copies), k=count)):
        triple, kind = divmod(choice // copies, KINDS)
        offset = known[triple * 3 + min(kind // 3, 2)]
        ref, alts = _alleles(dice, region, offset, kind)
        place = f"{contig.name}\t{start + offset + 1}\t."
        yield f"{place}\t{ref}\t{','.join(alts)}\t{_call(dice, len(alts))}\n"


def _alleles(dice: random.Random, region: str, offset: int, kind: int) -> tuple[str, list[str]]:
    base = region[offset]
    if kind < KINDS - 1:
        several = dice.random() < MULTIPLE
        alt = OTHERS[base][kind % 3]
        return base, [alt, OTHERS[base][kind % 3 - 1]] if several else [alt]
    if dice.random() < 1 / 2:
        return base, [base + dice.choice(BASES)]
    return region[offset : offset + 1 + dice.randint(1, DELETED)], [base]


def _call(dice: random.Random, alts: int) -> str:
    copies = [dice.randint(1, 2)] if alts == 1 else [1] * alts
    depths = [dice.randint(1, 30) for _ in range(alts + 1)]
    quality = f"{dice.randint(300, 9999) / 10}\t{dice.choice(('PASS', 'PASS', 'LowQual'))}"
    site = f"AC={_list(copies)};AF={_list([n / 2 for n in copies])};AN=2;DP={sum(depths)}"
    measures = f"MQ={dice.randint(200, 600) / 10};QD={dice.randint(20, 300) / 10}"
    genotype = "1/2" if alts > 1 else ("0/1", "1/1")[copies[0] - 1]
    likelihoods = [dice.randint(0, 900) for _ in range((alts + 1) * (alts + 2) // 2)]
    sample = f"{genotype}:{_list(depths)}:{sum(depths)}:{dice.randint(20, 99)}:{_list(likelihoods)}"
    return f"{quality}\t{site};{measures}\tGT:AD:DP:GQ:PL\t{sample}"


def _list(values: list[int] | list[float]) -> str:
    return ",".join(map(str, values))
