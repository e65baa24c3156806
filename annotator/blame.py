"""Which line is at fault? A slow second look at a file with a record that cannot be read.

bcftools names at most a contig and a position; a person wants the line. So it is given the records
once more, block by block, and a block that it refuses is halved until one line is left.
"""

from collections.abc import Callable, Iterable, Sequence

from annotator import genotypes
from annotator.crew import NotThisWayError
from annotator.errors import InputRefused

Numbered = tuple[Sequence[int], Sequence[bytes]]  # the numbers of lines in the file, and the lines
Complain = Callable[[Sequence[bytes]], str | None]  # what is wrong with some records, if anything


class UnreadableError(NotThisWayError):
    """Some record cannot be read; the text is for the operator."""


def blame(blocks: Iterable[Numbered], complain: Complain) -> InputRefused | None:
    """Return the refusal that names a line at fault, or None when no line is by itself.

    A genotype that is at fault is raised.
    """
    if complaint := complain(()):
        return InputRefused(f"The header cannot be read: {complaint}.")
    for numbers, lines in blocks:
        for number, line in zip(numbers, lines, strict=True):
            genotypes.check(number, line)
        if complain(lines):
            at = _first(lines, complain)
            said = complain(lines[at : at + 1])
            return InputRefused(f"line {numbers[at]}: {said}.") if said else None
    return None


def _first(lines: Sequence[bytes], complain: Complain) -> int:
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if complain(lines[low:middle]) else (middle, high)
    return low
