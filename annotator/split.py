"""Records of several ALTs as one per allele, by bcftools; it reads all records on the way.

That reading is what a file is refused for. The records of one ALT keep the text they came with.
"""

import re
from itertools import takewhile
from pathlib import Path

from annotator.blame import UnreadableError
from annotator.errors import AnnotatorFailed
from annotator.header import ORIGIN, defines
from annotator.screen import UndeclaredError
from annotator.stages import Stage, StageFailedError, bare

SHARD = "shard.vcf"  # what a command is told to have read, of however many
_UNDECLARED = "is not defined in the header"
_NOT_DEFINED = re.compile(rf"(\w+) '([^'\n]{{0,40}}).*{_UNDECLARED}")
_UNFLAGGED = ["--include", 'INFO/GAS_SKIP="."']


def split(records: Path, target: Path) -> list[list[str]]:
    """Write the alleles of a shard's records of several, without a flag, as VCF text.

    Returns the commands, without paths. The header is that of all records, as htslib writes it.
    """
    several = target.with_suffix(".bcf")
    written = ["--no-version", "-Ob0", "-o", str(several), str(records)]
    apart = [*_norm(records), "-Ov", "-o", str(target), str(several)]
    commands = [["view", "--min-alleles", "3", *_UNFLAGGED, *written], apart]
    for command in commands:
        _run(command, target.with_suffix(".log"))
    return [[SHARD if word == str(records) else bare(word) for word in one] for one in commands]


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
    written = ["--exclude", 'INFO/GAS_SKIP!="."', "-Ob0", "-o", str(folder / "complaint.bcf")]
    command = [*_norm(records), *written, str(records)]
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


def _run(command: list[str], log: Path) -> None:
    stage = Stage(command, log=log)
    try:
        check_declared(stage.wait())
    except StageFailedError as failure:
        raise whose_fault(failure) from failure
    finally:
        stage.stop()


def _origin_field(records: Path) -> str:
    """Return a field that the input does not have, for what a record was before the split."""
    with records.open("rb") as file:
        header = takewhile(lambda line: line.startswith(b"##"), file)
        theirs = any(defines(line, b"INFO", ORIGIN) for line in header)
    return (b"GAS_" * theirs + ORIGIN).decode()


def _norm(header: Path) -> list[str]:
    # -w 0: nothing moves without realignment, and the default window costs three times the rest.
    origin = ["--old-rec-tag", _origin_field(header)]
    return ["norm", "--multiallelics", "-any", *origin, "-w", "0", "--no-version"]
