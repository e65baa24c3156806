"""One record per allele: `bcftools norm` over a shard."""

import re
from itertools import takewhile
from pathlib import Path

from annotator.blame import UnreadableError
from annotator.errors import AnnotatorFailed
from annotator.header import ORIGIN, defines
from annotator.screen import UndeclaredError
from annotator.stages import Stage, StageFailedError

_UNDECLARED = "is not defined in the header"
_NOT_DEFINED = re.compile(rf"(\w+) '([^'\n]{{0,40}}).*{_UNDECLARED}")


def split(records: Path, target: Path, *, indexed: bool = False, plain: bool = False) -> None:
    """Write a shard's records to a BCF, split; those with a flag pass as they are.

    `plain` says that there are none with a flag.
    """
    command = _norm(records, target, indexed=indexed, plain=plain)
    stage = Stage(command, log=target.with_suffix(".log"))
    try:
        check_declared(stage.wait())
    except StageFailedError as failure:
        raise whose_fault(failure) from failure
    finally:
        stage.stop()


def check_declared(log: str) -> None:
    """Raise UndeclaredError when bcftools met a name that the header does not declare."""
    if _UNDECLARED in log:
        raise UndeclaredError


def whose_fault(failure: StageFailedError) -> Exception:
    """Return the error that a failed stage amounts to."""
    if _UNDECLARED in failure.log:
        return UndeclaredError()
    return UnreadableError(str(failure)) if failure.code > 0 else AnnotatorFailed(str(failure))


def complaint(text: bytes, folder: Path) -> str | None:
    """Say what bcftools has against a few records, if anything; their text begins with a header."""
    records = folder / "complaint.vcf"
    records.write_bytes(text)
    command = _norm(records, folder / "complaint.bcf", indexed=False)
    stage = Stage(command, log=folder / "complaint.log")
    try:
        found = _NOT_DEFINED.search(stage.wait())
    except StageFailedError as failure:
        if failure.code < 0:
            raise AnnotatorFailed(str(failure)) from failure
        return failure.complaint or "the record cannot be read"
    finally:
        stage.stop()
    return f"{found[1]} '{found[2]}' is not a name that a header could declare" if found else None


def _origin_field(records: Path) -> str:
    """Return a field that the input does not have, for what a record was before the split."""
    with records.open("rb") as file:
        header = takewhile(lambda line: line.startswith(b"##"), file)
        theirs = any(defines(line, b"INFO", ORIGIN) for line in header)
    return (b"GAS_" * theirs + ORIGIN).decode()


def _norm(records: Path, target: Path, *, indexed: bool, plain: bool = False) -> list[str]:
    # -w 0: nothing moves without realignment, and the default window costs three times the rest.
    split = ["norm", "--multiallelics", "-any", "--old-rec-tag", _origin_field(records), "-w", "0"]
    keep = [] if plain else ["--exclude", 'INFO/GAS_SKIP!="."']
    written = ["--no-version", "-Ob0", *(["-W"] if indexed else []), "-o", str(target)]
    return [*split, *keep, *written, str(records)]
