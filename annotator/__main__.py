"""python -m annotator run IN OUTDIR --bundle DIR | bundle install|verify|list |
verify-provenance FILE | sign-provenance FILE

Exit status: 0 done; 2 the input's fault, with one sentence on stderr; 64 a wrong command line;
70 it could not be done, with one sentence on stderr; 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

import argparse
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from pysam.version import __bcftools_version__, __htslib_version__

from annotator import __version__, bundles_command, provenance_command, run_command
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.outline import places
from annotator.provenance import COMMIT

EXIT_REFUSED = 2
EXIT_FAILED = 70
EXIT_USAGE = 64
EXIT_SIGNAL = 128  # and the signal's number
CLEAR_LINE = "\r\x1b[K"
EXAMPLES = """examples:
  python -m annotator run calls.vcf.gz results/
  python -m annotator bundle install grch38-ensembl115 --into references/
  python -m annotator verify-provenance results/provenance.json

Each command has a --help of its own.

Exit status: 0 done; 2 the input was refused; 64 a wrong command line; 70 it could not be done;
130 stopped by Ctrl-C. Whatever is wrong is told in one sentence on stderr.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse would exit with 2, which here means that the input was refused.
        self.exit(EXIT_USAGE, f"{message} (more: {self.prog} --help)\n")


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options, print)
        sys.stdout.flush()
    except InputRefused as refusal:
        return _ended(EXIT_REFUSED, str(refusal))
    except AnnotatorFailed as failure:
        if vars(options).get("parent"):  # which writes down no more than where it was
            sys.stderr.write(places(failure))
        return _ended(EXIT_FAILED, str(failure))
    except MemoryError as error:
        if vars(options).get("parent"):
            sys.stderr.write(places(error))
        return _ended(EXIT_FAILED, "There is not enough memory, or --memory-mb allows too little.")
    except BrokenPipeError:  # whoever read our stdout has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_SIGNAL + signal.SIGPIPE
    except OSError as error:
        return _ended(EXIT_FAILED, str(error))
    except KeyboardInterrupt:
        return _ended(EXIT_SIGNAL + signal.SIGINT, "stopped")
    return os.EX_OK


def _ended(code: int, sentence: str) -> int:
    printable = " ".join("".join(c if c.isprintable() else "?" for c in sentence).split())
    print(f"{CLEAR_LINE if sys.stderr.isatty() else ''}{printable}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m annotator",
        description="Annotate the variants of a VCF.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    engine = f"bcftools {__bcftools_version__}, htslib {__htslib_version__}"
    version = f"annotator {__version__} ({COMMIT}), {engine}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, parser_class=_Parser, metavar="COMMAND")
    run_command.add_to(commands)
    bundles_command.add_to(commands)
    provenance_command.add_to(commands)
    return parser


def _end_by_signals() -> None:
    """Tidy up when asked to stop; processes that are forked later just end."""
    origin = os.getpid()

    def stop(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != origin:
            os._exit(EXIT_SIGNAL + number)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(EXIT_SIGNAL + number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


if __name__ == "__main__":
    _end_by_signals()
    sys.exit(main(sys.argv[1:]))
