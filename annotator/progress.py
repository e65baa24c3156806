"""How far a run is: a stage and a fraction of the whole, told when it has moved enough to show."""

import json
import sys
from collections.abc import Callable
from contextlib import suppress

OnProgress = Callable[[str, float], None]
STEP = 0.01
BAR_WIDTH = 30
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
