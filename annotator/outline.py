"""Where a run broke, without what it had read: that may be a record, a sample or a genotype."""

import builtins
import re
from pathlib import Path
from traceback import extract_tb

from annotator import errors

_ROOT = Path(__file__).resolve().parents[1]
_PLACE = re.compile(r'\s*File "([^"]+)", line (\d+), in (\w+|<\w+>)')
_KINDS = {*dir(builtins), *dir(errors)}
MOST_PLACES = 5


def places(failure: BaseException) -> str:
    """Tell where an exception came from, as a traceback does."""
    frames = extract_tb(failure.__traceback__)
    return "".join(f'  File "{f.filename}", line {f.lineno}, in {f.name}\n' for f in frames)


def outline(said: str) -> str:
    """Take from what a child said the places in our own code and the class of its exception.

    A child that a hostile file took over can say anything; it can choose among these.
    """
    first, *lines = re.split(r"\n| \| ", said)
    sentence, _, begun = first.partition(":")
    found = [place for line in (begun, *lines) if (place := _place(line))]
    return "; ".join([sentence, *found[-MOST_PLACES:], *_kind(lines[-1:])])


def _place(line: str) -> str:
    match = _PLACE.match(line)
    if match is None:
        return ""
    file = (_ROOT / match[1]).resolve()
    if not file.is_relative_to(_ROOT / "annotator") or file.suffix != ".py" or not file.is_file():
        return ""
    return f'File "{file.relative_to(_ROOT)}", line {match[2]}, in {match[3]}'


def _kind(last: list[str]) -> list[str]:
    names = [line.partition(":")[0].strip().rpartition(".")[2] for line in last]
    return [name for name in names if name in _KINDS]
