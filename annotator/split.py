"""One record per allele: `bcftools norm` over a shard."""

from pathlib import Path

from annotator.errors import AnnotatorFailed, InputRefused
from annotator.screen import UndeclaredError
from annotator.stages import Stage, StageFailedError

_UNDECLARED = "is not defined in the header"


def split(records: Path, target: Path, *, indexed: bool = False) -> None:
    """Write a shard's records to a BCF, split; those with a flag pass as they are."""
    stage = Stage(_norm(records, target, indexed=indexed), log=target.with_suffix(".log"))
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
    if failure.complaint:
        return InputRefused(f"The records cannot be read: {failure.complaint.rstrip('.')}.")
    return AnnotatorFailed(str(failure))


def _norm(records: Path, target: Path, *, indexed: bool) -> list[str]:
    # -w 0: nothing moves without realignment, and the default window costs three times the rest.
    split = ["norm", "--multiallelics", "-any", "--old-rec-tag", "ORIG", "-w", "0"]
    keep = ["--exclude", 'GAS_SKIP!="."']
    written = ["--no-version", "-Ob0", *(["-W"] if indexed else []), "-o", str(target)]
    return [*split, *keep, *written, str(records)]
