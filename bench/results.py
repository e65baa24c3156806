"""python -m bench.results [--variants N] [--table FILE] [--rounds N]: how fast variants are found.

The table is made by the annotator of the synthetic calls, or given. Each question is a page of the
site: fifty variants and how many there are in all, read by ranges from a file. Seconds are medians
of the rounds; the ratio is to one reading of the whole table with all its columns. `read` is how
much of the file was asked for.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from annotator.bundles import load
from bench.calls import calls
from bench.reference import reference
from gas.results import exports
from gas.results.conditions import Frequency, Genes, Known, OneOf, Region, Regions
from gas.results.filters import Filter
from gas.results.scan import Sort
from gas.results.table import Deadline, Table
from gas.results.variants import Order, page

VARIANTS = 1_000_000
BAR = 1.0  # seconds in which a million variants are filtered
LONG = 3600.0


@dataclass
class File:
    """A file read by ranges, which counts the bytes."""

    path: Path
    read_bytes: int = 0
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = self.path.stat().st_size

    def read(self, start: int, length: int, /) -> bytes:
        """Return some bytes."""
        self.read_bytes += length
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)


def measure(path: Path, rounds: int) -> bool:
    """Print the figures; whether every question kept below the bar, by its CPU seconds."""
    table = Table(File(path))
    wall, cpu = _seconds(lambda: pq.read_table(path, use_threads=False), rounds)
    print(f"{table.rows:,} rows in {path.stat().st_size >> 10:,} KiB; medians of {rounds} rounds")
    print(f"\n{'':34}{'wall s':>8}{'CPU s':>8}{'ratio':>7}{'read':>7}{'variants':>12}")
    print(f"{'the whole table read':34}{wall:8.2f}{cpu:8.2f}{1:7.2f}{1:7.0%}")
    slowest = 0.0
    for title, wanted in _filters(table).items():
        for order in (Order(), Order(Sort.FREQUENCY, descending=True)):
            taken = _question(path, wanted, order, rounds)
            sort = "" if order == Order() else ", by frequency"
            print(f"{title + sort:34}{taken.line(cpu)}")
            slowest = max(slowest, taken.cpu)
    gene = _filters(table)["gene"]
    for name, make in (("TSV", exports.tsv), ("Parquet", exports.parquet)):
        wall, now = _seconds(partial(_drained, make, path, gene), rounds)
        print(f"{f'gene, as {name}':34}{wall:8.2f}{now:8.2f}{now / cpu:7.2f}")
    print(f"\nslowest question {slowest:.2f} s of CPU; the bar is {BAR} s")
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        print("The machine was busy with other things: trust the CPU seconds, not the wall's.")
    return slowest < BAR


@dataclass(frozen=True)
class Taken:
    """What a question took, and found."""

    wall: float
    cpu: float
    part: float
    variants: int

    def line(self, floor: float) -> str:
        """Return the numbers of its line."""
        times = f"{self.wall:8.2f}{self.cpu:8.2f}{self.cpu / floor:7.2f}"
        return f"{times}{self.part:7.0%}{self.variants:12,}"


def _question(path: Path, wanted: Filter, order: Order, rounds: int) -> Taken:
    file, found = File(path), 0

    def ask() -> None:
        nonlocal found
        count = page(Table(file), wanted, order, until=Deadline.within(LONG)).count
        found = count.variants

    wall, cpu = _seconds(ask, rounds)
    return Taken(wall, cpu, file.read_bytes / rounds / file.size, found)


def _filters(table: Table) -> dict[str, Filter]:
    """Return filters that find something: a gene in the middle of the table, its position."""
    at = [len(table.firsts) // 2]
    (group,) = table.read(at, ("gene", "contig", "position"), Deadline.within(LONG))
    genes = Counter(group.cells["gene"].to_pylist())
    gene = next((name for name, _ in genes.most_common() if name), "none")
    contig, start = (group.cells[name][0].as_py() for name in ("contig", "position"))
    rare = Frequency(None, 0.01, unseen=True)
    severe = OneOf("impact", ("HIGH", "MODERATE"))
    return {
        "all": Filter(),
        "gene": Filter(((Genes((gene,)),),)),
        "gene, rare and severe": Filter(((Genes((gene,)), rare, severe),)),
        "severe, or known": Filter(((severe,), (Known(known=True),))),
        "region of 10,000 bases": Filter(((Regions((Region(contig, start, start + 10_000),)),),)),
        "nothing": Filter(((Genes(("none",)),),)),
    }


def _drained(make: Callable[..., Iterator[bytes | memoryview]], path: Path, wanted: Filter) -> None:
    pieces = make(Table(File(path)), wanted, Deadline.within(LONG))
    for _ in pieces:
        pass


def _seconds(run: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the medians of wall and CPU seconds."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(cpus)


def _made(folder: Path, variants: int) -> Path:
    """Annotate synthetic calls and return the table."""
    bundle = load(reference(folder))
    source, outdir = folder / "source.vcf", folder / "results"
    with source.open("w") as file:
        file.writelines(calls(bundle, variants))
    job = [sys.executable, "-m", "annotator", "run", str(source), str(outdir)]
    subprocess.run([*job, "--bundle", str(bundle.folder), "--quiet"], check=True)
    return outdir / "annotated.parquet"


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=VARIANTS)
    parser.add_argument("--table", type=Path, help="an annotated.parquet that is there already")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = options.table or _made(Path(name), options.variants)
        sys.exit(0 if measure(path, options.rounds) else 1)


if __name__ == "__main__":
    main()
