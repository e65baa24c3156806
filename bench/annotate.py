"""`python -m bench.annotate [--variants N] [--bundle DIR] [--rounds N]`: time as ratios to a floor.

The floor is one `bcftools view` that decodes a VCF and encodes it again as compressed VCF. It and
the whole job, with one worker and with two, run in turn on the same synthetic call set of one
sample; what is printed is the median of the ratios, so that a machine's speed cancels out.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pysam

from annotator.bundles import DEMO, Bundle, load

WORKERS = (1, 2)
LARGEST_REGION = 4 << 20  # bases; the calls are as dense as they can be
SAMPLING_SECONDS = 0.1
ALTS = {"A": "GCT", "C": "TAG", "G": "ACT", "T": "CAG"}
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
FLOOR = """
import sys, pysam.bcftools
pysam.bcftools.view("-Oz", "-o", sys.argv[2], sys.argv[1], catch_stdout=False)
"""


def variants(bundle: Bundle, count: int) -> Iterator[str]:
    """Yield a header and substitutions on the bundle's first known bases, sorted by position."""
    contig = bundle.contigs[0]
    dice = random.Random(1)
    bases = pysam.FastaFile(str(bundle.fasta)).fetch(contig.name).upper()
    start = len(bases) - len(bases.lstrip("N"))
    region = bases[start : start + LARGEST_REGION].partition("NNNNNNNNNN")[0]
    yield HEADER.format(name=contig.name, length=contig.length)
    for offset in sorted(dice.choices(range(len(region)), k=count)):
        base = region[offset]
        if base in ALTS:
            alt = dice.choice(ALTS[base])
            yield f"{contig.name}\t{start + offset + 1}\t.\t{base}\t{alt}\t{_call(dice)}\n"


def _call(dice: random.Random) -> str:
    copies, depth = dice.randint(1, 2), dice.randint(5, 60)
    alt_depth = dice.randint(0, depth)
    quality = f"{dice.randint(300, 9999) / 10}\t{dice.choice(('PASS', 'PASS', 'LowQual'))}"
    site = f"AC={copies};AF={copies / 2};AN=2;DP={depth}"
    measures = f"MQ={dice.randint(200, 600) / 10};QD={dice.randint(20, 300) / 10}"
    genotype = ("0/1", "1/1")[copies - 1]
    depths = f"{depth - alt_depth},{alt_depth}:{depth}:{dice.randint(20, 99)}"
    likelihoods = f"{dice.randint(0, 900)},{dice.randint(0, 90)},{dice.randint(0, 900)}"
    return f"{quality}\t{site};{measures}\tGT:AD:DP:GQ:PL\t{genotype}:{depths}:{likelihoods}"


def seconds(command: Sequence[str]) -> float:
    """Run a command and return its wall-clock seconds."""
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def together(command: Sequence[str]) -> float:
    """Run a command and return the most memory all its processes held at once, in MB."""
    child = subprocess.Popen(command)
    peak = 0.0
    waiter = threading.Event()
    while child.poll() is None:
        peak = max(peak, _held_by(child.pid))
        waiter.wait(SAMPLING_SECONDS)
    return peak


def _held_by(pid: int) -> float:
    """Sum the proportional set size of a process and its descendants (proc(5), smaps_rollup)."""
    folder = Path(f"/proc/{pid}")
    try:
        rollup = (folder / "smaps_rollup").read_text().splitlines()
        children = (folder / "task" / str(pid) / "children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = next((int(line.split()[1]) for line in rollup if line.startswith("Pss:")), 0)
    return own / 1024 + sum(_held_by(int(child)) for child in children)


def measure(count: int, bundle: Path, rounds: int, folder: Path) -> None:
    """Print the table."""
    source = folder / "source.vcf"
    with source.open("w") as file:
        file.writelines(variants(load(bundle), count))
    floors: list[float] = []
    ratios: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    for _ in range(rounds):
        floors.append(seconds([sys.executable, "-c", FLOOR, str(source), str(folder / "floor.gz")]))
        for workers, found in ratios.items():
            outdir = folder / f"{len(found)}-{workers}"
            found.append(seconds(_job(source, outdir, bundle, workers)) / floors[-1])
    print(f"{count:,} variants; floor {statistics.median(floors):.2f} s, 1.00")
    for workers, found in ratios.items():
        every = ", ".join(f"{ratio:.2f}" for ratio in found)
        print(f"whole job, {workers} workers: {statistics.median(found):.2f} x the floor ({every})")
    _print_stages(folder / f"0-{WORKERS[0]}", floors[0])
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    all_held = together(_job(source, folder / "memory", bundle, WORKERS[-1]))
    print(f"memory: largest process {largest:.0f} MB; {WORKERS[-1]} workers {all_held:.0f} MB")


def _job(source: Path, outdir: Path, bundle: Path, workers: int) -> list[str]:
    job = [sys.executable, "-m", "annotator", "run", str(source), str(outdir)]
    return [*job, "--bundle", str(bundle), "--workers", str(workers), "--quiet"]


def _print_stages(outdir: Path, floor: float) -> None:
    stages = json.loads((outdir / "provenance.json").read_text())["seconds"]
    for stage, taken in stages.items():
        print(f"  {stage:<14}{taken / floor:6.2f}")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=200_000)
    parser.add_argument("--bundle", type=Path, default=DEMO)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(options.variants, options.bundle, options.rounds, Path(folder))


if __name__ == "__main__":
    main()
