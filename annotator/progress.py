"""How far a run is: a stage and a fraction of the whole, told when it has moved enough to show."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

OnProgress = Callable[[str, float], None]
STEP = 0.01
BAR_WIDTH = 30
HALF = 0.5  # of the way of a file that is sorted
STAGES = ("annotate", "sort", "write", "done")


class Progress:
    """Passes on what is new."""

    def __init__(self, listener: OnProgress | None) -> None:
        self._listener, self._stage, self._fraction = listener, "", -1.0

    def tell(self, stage: str, fraction: float) -> None:
        """Say where the run is; `stage` is one of STAGES."""
        if self._listener and (stage != self._stage or fraction >= self._fraction + STEP):
            self._stage, self._fraction = stage, fraction
            self._listener(stage, round(fraction, 3))


class Course:
    """How far the records of an input are: read, or first read and then sorted."""

    def __init__(self, listener: OnProgress | None, *, sorting: bool) -> None:
        self._listener, self._sorting, self._bytes = listener, sorting, 0

    def reading(self, blocks: Iterable[bytes], part: Callable[[int], float]) -> Iterator[bytes]:
        """Pass blocks on; `part` says how much of the input so many bytes of text are."""
        for block in blocks:
            yield block
            self._bytes += len(block)
            if self._sorting:
                self._tell("sort", HALF * part(self._bytes))
            else:
                self._tell("annotate", part(self._bytes))

    def sorted(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on the blocks that the sort gives back."""
        done = 0
        for block in blocks:
            yield block
            done += len(block)
            self._tell("annotate", HALF + (1 - HALF) * min(1.0, done / self._bytes))

    def _tell(self, stage: str, fraction: float) -> None:
        if self._listener:
            self._listener(stage, fraction)


def as_json(stage: str, fraction: float) -> None:
    """Write one line of JSON to stdout."""
    sys.stdout.write(json.dumps({"stage": stage, "fraction": fraction}) + "\n")
    sys.stdout.flush()


def as_bar(stage: str, fraction: float) -> None:
    """Draw a bar on the terminal behind stderr, over the one before."""
    bar = ("#" * round(fraction * BAR_WIDTH)).ljust(BAR_WIDTH, ".")
    sys.stderr.write(f"\r{stage:<9} [{bar}] {fraction:4.0%}" + "\n" * (stage == "done"))
    sys.stderr.flush()


def told(text: bytes) -> tuple[str, float] | None:
    """Return the last report among lines of JSON; what is none is passed over, as it may lie."""
    found = None
    for line in text.splitlines():
        with suppress(ValueError, KeyError, TypeError):
            report = json.loads(line)
            stage, fraction = report["stage"], report["fraction"]
            if stage in STAGES and isinstance(fraction, float) and 0 <= fraction <= 1:
                found = stage, fraction
    return found
