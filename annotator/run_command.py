"""python -m annotator run IN OUTDIR [--bundle DIR] [--workers N]"""

import argparse
import fcntl
import gc
import json
import os
import re
import select
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from annotator import bundles, sandbox
from annotator.progress import OnProgress, as_bar, as_json
from annotator.run import WORK, annotate, open_partial, partial_folder
from annotator.sandbox import Sandbox

EXAMPLES = """examples:
  python -m annotator run calls.vcf.gz results/
  python -m annotator run calls.bcf results/ --bundle references/grch38-ensembl115 --workers 4
  bcftools view -f PASS calls.vcf.gz | python -m annotator run - results/
  python -m annotator run calls.vcf results/ --json | tail -1

OUTDIR gets annotated.vcf.gz with its index, the same as annotated.tsv.gz and annotated.parquet,
skipped.tsv, summary.json, annotation.log and provenance.json: all of them, or it is not made. They
are the same bytes with any number of workers.

Exit status: 0 done; 2 the file was refused, and stderr says why in a sentence; 64 a wrong command
line; 70 it could not be done, and stderr says why; 130 stopped by Ctrl-C, with nothing left behind.
"""
MOST_WORKERS = 64
STDIN = Path("-")
CHUNK = 1 << 20  # bytes
LONGEST_DEAFNESS = 0.2  # seconds
P = TypeVar("P", bound=argparse.ArgumentParser)
Say = Callable[[str], None]


def add_to(commands: "argparse._SubParsersAction[P]") -> None:
    """Add `run` to the program."""
    run = commands.add_parser(
        "run",
        help="annotate one file into a folder",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "input", type=Path, metavar="IN", help="VCF, plain, gzip or BGZF, or BCF; - for stdin"
    )
    run.add_argument("outdir", type=Path, metavar="OUTDIR", help="a folder that is empty or absent")
    run.add_argument(
        "--bundle",
        type=Path,
        default=bundles.DEMO,
        metavar="DIR",
        help="the reference (default: the small one that comes with the program)",
    )
    run.add_argument(
        "--workers",
        type=_up_to(MOST_WORKERS),
        default=1,
        metavar="N",
        help="processes side by side (default: %(default)s)",
    )
    run.add_argument("--quiet", action="store_true", help="no progress bar and no last word")
    run.add_argument("--json", action="store_true", help="tell stages as lines of JSON on stdout")
    _add_limits(run)
    run.set_defaults(command=_run, refuse=run.error)


def _add_limits(run: argparse.ArgumentParser) -> None:
    limits = sandbox.Limits()
    run.add_argument(
        "--memory-mb",
        type=_up_to(1 << 30),
        default=limits.memory_mb,
        metavar="N",
        help="address space of each process (default: %(default)s)",
    )
    run.add_argument(
        "--cpu-seconds",
        type=_up_to(1 << 30),
        default=limits.cpu_seconds,
        metavar="N",
        help="time of each process (default: %(default)s)",
    )
    run.add_argument(
        "--sandbox",
        type=Sandbox,
        choices=list(Sandbox),
        default=Sandbox.PREFERRED,
        help="what to do where the kernel cannot close files and network (default: %(default)s)",
    )
    run.add_argument("--parent", type=int, help=argparse.SUPPRESS)  # end when this process ends
    run.add_argument("--correlation", type=_digits, default="", help=argparse.SUPPRESS)


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        found = int(text) if text.isdecimal() else 0
        if not 1 <= found <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {most}")
        return found

    return number


def _digits(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{0,64}", text):
        raise argparse.ArgumentTypeError("must be hexadecimal digits")
    return text


def _run(options: argparse.Namespace, _say: Say) -> None:
    if options.parent:
        sandbox.die_with(options.parent)
    gc.disable()  # a short life without cycles; collections would cost a fifth of the time
    outdir = options.outdir.absolute()
    _check_places(options, outdir)
    folder = _opened(options, outdir)
    try:
        _annotate(_source(options.input, folder), outdir, folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if _is_watched(options):
        sys.stderr.write(_last_word(outdir))


def _check_places(options: argparse.Namespace, outdir: Path) -> None:
    if options.input.is_dir():
        options.refuse(f"{options.input} is a folder")
    if options.input != STDIN and not options.input.exists():
        options.refuse(f"{options.input} is not there")
    if outdir.exists() and not (outdir.is_dir() and not any(outdir.iterdir())):
        what = "is not empty" if outdir.is_dir() else "is a file"
        options.refuse(f"{options.outdir} {what}; the results need a folder of their own")


def _opened(options: argparse.Namespace, outdir: Path) -> Path:
    """Make the folder to work in, as long as no other run works there."""
    refuse: Callable[[str], NoReturn] = options.refuse
    folder = partial_folder(outdir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY)  # until the process ends
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return open_partial(outdir)
    except BlockingIOError:
        refuse(f"another run is about to make {options.outdir}")
    except OSError as error:
        refuse(f"{options.outdir} cannot be made: {error}")


def _source(given: Path, folder: Path) -> Path:
    """Return the file to read, which is read more than once: a pipe is kept in one meanwhile."""
    if given != STDIN and given.is_file():
        return given.absolute()
    kept = folder / "piped"
    pipe = sys.stdin.fileno() if given == STDIN else os.open(given, os.O_RDONLY | os.O_NONBLOCK)
    with kept.open("wb") as file, open(pipe, "rb", buffering=0, closefd=given != STDIN):
        while chunk := _read(pipe):
            file.write(chunk)
    return kept


def _read(pipe: int) -> bytes:
    """Return what comes next out of a pipe.

    A signal that arrives between Python's last look for one and the system call does not
    interrupt that call, so no call may block for long.
    """
    while not select.select([pipe], [], [], LONGEST_DEAFNESS)[0]:
        pass
    return os.read(pipe, CHUNK)


def _annotate(source: Path, outdir: Path, folder: Path, options: argparse.Namespace) -> None:
    """Go behind the walls and annotate there."""
    bundle = options.bundle.absolute()
    tempfile.tempdir = str(folder / WORK)  # the only folder that will be left to write to
    limits = sandbox.Limits(memory_mb=options.memory_mb, cpu_seconds=options.cpu_seconds)
    beside = bundles.folders(bundle.parent)  # to tell what a file looks like that does not fit
    reads = (source, *bundles.load(bundle).places, *beside, outdir)
    places = sandbox.Places(reads, folder, listable=(bundle.parent,))
    walls = sandbox.enter(limits, places=places, sandbox=options.sandbox)
    if walls.missing and options.sandbox is not Sandbox.OFF:
        sys.stderr.write(f"warning: this kernel leaves open: {', '.join(walls.missing)}\n")
    annotate(
        source,
        outdir,
        bundle,
        walls=walls,
        workers=options.workers,
        correlation=options.correlation,
        on_progress=_listener(options),
    )


def _listener(options: argparse.Namespace) -> OnProgress | None:
    if options.json:
        return as_json
    return as_bar if _is_watched(options) else None


def _is_watched(options: argparse.Namespace) -> bool:
    return sys.stderr.isatty() and not (options.quiet or options.json)


def _last_word(outdir: Path) -> str:
    counts = json.loads((outdir / "summary.json").read_bytes())
    left = sum(counts["flagged"].values())
    skipped = f", {left:,} not (see skipped.tsv)" if left else ""
    done = f"{counts['records_in']:,} records, {counts['annotated']:,} alleles annotated"
    return f"{done}{skipped}: {os.path.relpath(outdir)}\n"
