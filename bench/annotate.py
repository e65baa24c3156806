"""`python -m bench.annotate [VARIANTS]`: the annotator's time as a ratio to re-encoding the file.

The floor, one `bcftools view` from VCF to compressed VCF, and the whole job run in turn on the same
synthetic file; what is printed is the median of the ratios, so that a machine's speed cancels out.
"""

import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pysam

from annotator.bundles import DEMO

ROUNDS = 5
CONTIG, START, END = "16", 186_964, 397_118
OTHER = {"A": "G", "C": "T", "G": "A", "T": "C"}
HEADER = """##fileformat=VCFv4.2
##contig=<ID=16,length=90338345>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tEXAMPLE
"""
FLOOR = """
import sys, pysam.bcftools
pysam.bcftools.view("-Oz", "-o", sys.argv[2], sys.argv[1], catch_stdout=False)
"""


def variants(count: int) -> Iterator[str]:
    """Yield substitutions on the real bases of the demo bundle, sorted by position."""
    dice = random.Random(1)
    bases = pysam.FastaFile(str(DEMO / "genome.fa.gz")).fetch(CONTIG, START - 1, END).upper()
    for offset in sorted(dice.choices(range(len(bases)), k=count)):
        base = bases[offset]
        yield f"{CONTIG}\t{START + offset}\t.\t{base}\t{OTHER[base]}\t50\tPASS\t.\tGT\t0/1\n"


def seconds(command: Sequence[str]) -> float:
    """Run a command and return its wall-clock seconds."""
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print the ratio for a number of variants."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.vcf")
        source.write_text(HEADER + "".join(variants(count)))
        ratios = []
        for turn in range(ROUNDS):
            floor = seconds([sys.executable, "-c", FLOOR, str(source), f"{folder}/floor{turn}.gz"])
            job = ["-m", "annotator", "run", str(source), f"{folder}/{turn}", f"--bundle={DEMO}"]
            ratios.append(seconds([sys.executable, *job]) / floor)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"annotate {count:,} variants: {statistics.median(ratios):.2f} x the floor")
    print(f"rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)}; largest process {peak:.0f} MB")


if __name__ == "__main__":
    main()
