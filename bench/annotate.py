"""python -m bench.annotate [--variants N] [--bundle DIR] [--rounds N]: the annotator's speed.

All times are told as ratios to a floor taken in the same run, so that a machine's speed cancels
out: one `bcftools view` that decodes the VCF and encodes it again as compressed VCF. The floor and
the whole job, with one worker and with two, run in turn; the ratios are medians of the rounds.
`wall` is what a user waits; `CPU` are the seconds of all processes, which tell on a busy machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotator.bundles import Bundle, load
from bench.calls import calls
from bench.reference import reference

VARIANTS = 1_000_000
BARS = {1: 2.2, 2: 1.2}  # workers: the wall ratio that the whole job may reach
MEMORY_BAR_MB = 300
SAMPLING_SECONDS = 0.1
BUSY = 0.5  # processes that wait for a core, above which wall ratios say little
STAGES = {
    "screen": "read and screen",
    "split": "check, split",
    "sources": "known variants",
    "consequences": "consequences",
    "tables": "fields, tables, compression",
    "write": "join, index",
}
FLOOR = """
import sys, pysam.bcftools
pysam.bcftools.view("-Oz", "-o", sys.argv[2], sys.argv[1], catch_stdout=False)
"""


@dataclass(frozen=True)
class Taken:
    """Seconds of a command and everything it started."""

    wall: float
    cpu: float

    def over(self, floor: "Taken") -> "Taken":
        """Return the ratios to a floor."""
        return Taken(self.wall / floor.wall, self.cpu / floor.cpu)


def timed(command: Sequence[str]) -> Taken:
    """Run a command to its end."""
    started = time.perf_counter()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Taken(time.perf_counter() - started, usage.ru_utime + usage.ru_stime)


def peak_memory_mb(command: Sequence[str]) -> float:
    """Run a command and return the most memory all its processes held at once."""
    child = subprocess.Popen(command)
    peak = 0.0
    waiter = threading.Event()
    while child.poll() is None:
        peak = max(peak, held_by(child.pid))
        waiter.wait(SAMPLING_SECONDS)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return peak


def held_by(pid: int) -> float:
    """Sum the proportional set size of a process and its descendants (proc(5), smaps_rollup)."""
    folder = Path(f"/proc/{pid}")
    try:
        rollup = (folder / "smaps_rollup").read_text().splitlines()
        children = (folder / "task" / str(pid) / "children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = next((int(line.split()[1]) for line in rollup if line.startswith("Pss:")), 0)
    return own / 1024 + sum(held_by(int(child)) for child in children)


def measure(count: int, bundle: Bundle, rounds: int, folder: Path) -> None:
    """Print the table."""
    source = folder / "source.vcf"
    with source.open("w") as file:
        file.writelines(calls(bundle, count))
    size = source.stat().st_size >> 20
    print(f"{count:,} variants, {size} MiB, on {bundle.contigs[0].name} of {bundle.id}")
    print(f"{os.cpu_count()} cores; medians of {rounds} rounds; 1.00 is one decoding and encoding")
    floors: list[Taken] = []
    found: dict[int, list[Taken]] = {workers: [] for workers in BARS}
    for number in range(rounds):
        target = str(folder / "floor.vcf.gz")
        floors.append(timed([sys.executable, "-c", FLOOR, str(source), target]))
        for workers, ratios in found.items():
            job = _job(source, folder / f"{number}-{workers}", bundle, workers)
            ratios.append(timed(job).over(floors[-1]))
    _print_times(floors, found, [folder / f"{number}-1" for number in range(rounds)])
    _print_memory(source, folder, bundle)
    if os.getloadavg()[0] > max(BARS) + BUSY:
        print("The machine was busy with other things: trust the CPU ratios more than the wall's.")


def _job(source: Path, outdir: Path, bundle: Bundle, workers: int) -> list[str]:
    job = [sys.executable, "-m", "annotator", "run", str(source), str(outdir)]
    return [*job, "--bundle", str(bundle.folder), "--workers", str(workers), "--quiet"]


def _print_times(floors: list[Taken], found: dict[int, list[Taken]], outdirs: list[Path]) -> None:
    floor = statistics.median(taken.wall for taken in floors)
    cpu = statistics.median(taken.cpu for taken in floors)
    print(f"\n{'':36}{'wall':>6}{'CPU':>7}{'bar':>7}")
    print(f"{'floor':36}{1:6.2f}{1:7.2f}{'':9}{floor:.2f} s, CPU {cpu:.2f} s")
    runs = [json.loads((outdir / "provenance.json").read_text())["seconds"] for outdir in outdirs]
    for stage, title in STAGES.items():
        ratios = [run[stage] / taken.wall for run, taken in zip(runs, floors, strict=True)]
        print(f"  {title:34}{statistics.median(ratios):6.2f}")
    for workers, ratios_of in found.items():
        wall = statistics.median(ratio.wall for ratio in ratios_of)
        cpu = statistics.median(ratio.cpu for ratio in ratios_of)
        title = f"whole job, {workers} worker{'s' * (workers > 1)}"
        every = ", ".join(f"{ratio.wall:.2f}" for ratio in ratios_of)
        print(f"{title:36}{wall:6.2f}{cpu:7.2f}{BARS[workers]:7.2f}  ({every})")


def _print_memory(source: Path, folder: Path, bundle: Bundle) -> None:
    print(f"\n{'peak memory of all processes':36}{'MB':>6}{'':7}{'bar':>7}")
    for workers in BARS:
        held = peak_memory_mb(_job(source, folder / f"memory-{workers}", bundle, workers))
        print(f"  {f'with {workers}':34}{held:6.0f}{'':7}{MEMORY_BAR_MB:7}")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=VARIANTS)
    parser.add_argument("--bundle", type=Path, help="default: chromosome 21, or the demo's")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = load(options.bundle or reference(folder))
        measure(options.variants, bundle, options.rounds, folder)


if __name__ == "__main__":
    main()
