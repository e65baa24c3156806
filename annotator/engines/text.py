"""The VCF text that a bcftools command writes, as it writes it."""

import os
from collections.abc import Iterator
from pathlib import Path

from annotator.errors import AnnotatorFailed
from annotator.inputs import READ_BYTES, whole_lines
from annotator.stages import Stage, StageFailedError


def text_of(arguments: list[str], log: Path) -> Iterator[bytes]:
    """Yield blocks of whole lines; the command must write to its standard output."""
    reader, writer = os.pipe()
    stage = Stage(arguments, log=log, stdout=writer, foreign=(reader,))
    try:
        with os.fdopen(reader, "rb") as pipe:
            yield from whole_lines(iter(lambda: pipe.read(READ_BYTES), b""))
        stage.wait()
    except StageFailedError as failure:
        raise AnnotatorFailed(str(failure)) from failure
    finally:
        stage.stop()
