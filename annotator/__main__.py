"""python -m annotator run IN OUTDIR --bundle DIR | bundle install|verify|list |
verify-provenance FILE | sign-provenance FILE

Exit status: 0 done; 2 the input's fault, with one sentence on stderr; 64 a wrong command line;
anything else is ours.
"""

import argparse
import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from annotator import bundles, bundles_command, provenance_command, sandbox
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.progress import OnProgress, as_bar, as_json
from annotator.run import WORK, annotate, open_partial
from annotator.sandbox import Sandbox

EXIT_REFUSED = 2
EXIT_FAILED = 70
EXIT_USAGE = 64


EXAMPLES = """examples:
  python -m annotator run calls.vcf.gz results/
  python -m annotator run calls.bcf results/ --bundle references/grch38 --workers 4
  python -m annotator run calls.vcf results/ --json | tail -1

The results are the same bytes with any number of workers. Exit status: 0 done; 2 the file was
refused, with one sentence on stderr; 64 a wrong command line; anything else is the program's fault.
"""
MOST_WORKERS = 64


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse would exit with 2, which here means that the input was refused.
        self.exit(EXIT_USAGE, f"{self.format_usage()}{message}\n")


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options, print)
    except InputRefused as refusal:
        print(_one_line(str(refusal)), file=sys.stderr)
        return EXIT_REFUSED
    except AnnotatorFailed as failure:
        print(failure, file=sys.stderr)
        return EXIT_FAILED
    return os.EX_OK


def _run(options: argparse.Namespace, _say: bundles_command.Say) -> None:
    if options.parent:
        sandbox.die_with(options.parent)
    gc.disable()  # a short life without cycles; collections would cost a fifth of the time
    source, outdir = options.input.absolute(), options.outdir.absolute()
    bundle = options.bundle.absolute()
    folder = open_partial(outdir)
    tempfile.tempdir = str(folder / WORK)  # the only folder that will be left to write to
    limits = sandbox.Limits(memory_mb=options.memory_mb, cpu_seconds=options.cpu_seconds)
    beside = bundles.folders(bundle.parent)  # to tell what a file looks like that does not fit
    try:
        reads = (source, *bundles.load(bundle).places, *beside, outdir)
        places = sandbox.Places(reads, folder, listable=(bundle.parent,))
        walls = sandbox.enter(limits, places=places, sandbox=options.sandbox)
        if walls.missing and options.sandbox is not Sandbox.OFF:
            print(f"warning: this kernel leaves open: {', '.join(walls.missing)}", file=sys.stderr)
        told = _listener(options)
        annotate(source, outdir, bundle, walls=walls, workers=options.workers, on_progress=told)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listener(options: argparse.Namespace) -> OnProgress | None:
    if options.json:
        return as_json
    return as_bar if sys.stderr.isatty() and not options.quiet else None


def _parser() -> argparse.ArgumentParser:
    limits = sandbox.Limits()
    parser = _Parser(prog="python -m annotator", description="Annotate the variants of a VCF.")
    commands = parser.add_subparsers(required=True, parser_class=_Parser)
    run = commands.add_parser(
        "run",
        help="annotate one file into a folder",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("input", type=Path, metavar="IN", help="VCF, plain, gzip or BGZF, or BCF")
    run.add_argument("outdir", type=Path, metavar="OUTDIR", help="a folder that is empty or absent")
    run.add_argument(
        "--bundle", type=Path, default=bundles.DEMO, metavar="DIR", help="the reference"
    )
    run.add_argument(
        "--workers", type=_workers, default=1, metavar="N", help="processes side by side"
    )
    run.add_argument("--quiet", action="store_true", help="no progress bar")
    run.add_argument("--json", action="store_true", help="tell stages as lines of JSON on stdout")
    run.add_argument("--memory-mb", type=int, default=limits.memory_mb, metavar="N")
    run.add_argument("--cpu-seconds", type=int, default=limits.cpu_seconds, metavar="N")
    run.add_argument(
        "--sandbox",
        type=Sandbox,
        choices=list(Sandbox),
        default=Sandbox.PREFERRED,
        help="what to do where the kernel cannot close files and network (default: %(default)s)",
    )
    run.add_argument("--parent", type=int, metavar="PID", help="end when this process ends")
    run.set_defaults(command=_run)
    bundles_command.add_to(commands)
    provenance_command.add_to(commands)
    return parser


def _workers(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"must be 1 to {MOST_WORKERS}")
    return number


def _one_line(sentence: str) -> str:
    return " ".join("".join(c if c.isprintable() else "?" for c in sentence).split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
