"""Which line is at fault? A slow second look at a file with a record that cannot be read.

bcftools names at most a contig and a position; a person wants the line. So it is given the records
once more, block by block, and a block that it refuses is halved until one line is left.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from annotator import genotypes
from annotator.columns import FORMAT, INFO, SAMPLES
from annotator.crew import NotThisWayError
from annotator.errors import InputRefused

Numbered = tuple[Sequence[int], Sequence[bytes]]  # the numbers of lines in the file, and the lines
Complain = Callable[[Sequence[bytes]], str | None]  # what is wrong with some records, if anything


LAST_INDEXED = (1 << 29) - (1 << 20)  # what a .tbi can hold, less the longest REF
_REACH = re.compile(rb"(?:^|;)(END|SVLEN)=-?0*([0-9]{1,20})")
_LENGTH = b"LEN"


class UnreadableError(NotThisWayError):
    """Some record cannot be read; the text is for the operator."""


def blame(blocks: Iterable[Numbered], complain: Complain) -> InputRefused | None:
    """Return the refusal that names a line at fault, or None when no line is by itself.

    A genotype or an end that is at fault is raised.
    """
    if complaint := complain(()):
        return InputRefused(f"The header cannot be read: {complaint}.")
    for numbers, lines in blocks:
        for number, line in zip(numbers, lines, strict=True):
            _check_format(number, line)
            genotypes.check(number, line)
            _check_reach(number, line)
        if complain(lines):
            at = _first(lines, complain)
            said = complain(lines[at : at + 1])
            return InputRefused(f"line {numbers[at]}: {said}.") if said else None
    return None


def _check_format(number: int, line: bytes) -> None:
    """Raise InputRefused for an empty FORMAT, of which htslib says that it has no memory."""
    if line.split(b"\t", SAMPLES)[FORMAT:SAMPLES] == [b""]:
        raise InputRefused(f"line {number}: FORMAT '' is not a name that a header could declare.")


def _check_reach(number: int, line: bytes) -> None:
    """Raise InputRefused when a record says that it ends where no index reaches."""
    for field, value in _reaches(line.split(b"\t")):
        if int(value) > LAST_INDEXED:
            raise InputRefused(f"line {number}: {field.decode()} reaches beyond any contig.")


def _reaches(columns: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the fields that htslib takes for the extent of a record, with their values."""
    yield from _REACH.findall(columns[INFO])
    for number, name in enumerate(columns[FORMAT].split(b":") if columns[FORMAT:] else ()):
        cells = (sample.split(b":")[number:] for sample in columns[FORMAT + 1 :])
        if name == _LENGTH:
            yield from ((name, cell[0]) for cell in cells if cell and cell[0].isdigit())


def _first(lines: Sequence[bytes], complain: Complain) -> int:
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if complain(lines[low:middle]) else (middle, high)
    return low
