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


def split_header(blocks: Iterator[bytes]) -> tuple[list[bytes], Iterator[bytes]]:
    """Take the header lines off the engine's text; the rest comes as blocks of records."""
    lines: list[bytes] = []
    for block in blocks:
        records = _take_header(block, lines)
        if lines and lines[-1].startswith(b"#CHROM"):
            return lines, _behind(records, blocks)
    return lines, iter(())


def _take_header(block: bytes, lines: list[bytes]) -> bytes:
    start = 0
    while block[start : start + 1] == b"#":
        end = block.index(b"\n", start)
        lines.append(block[start:end])
        start = end + 1
    return block[start:]


def _behind(records: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if records:
        yield records
    yield from blocks
