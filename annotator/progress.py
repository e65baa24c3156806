"""How far a run is: a stage and a fraction of the whole, told when it has moved enough to show."""

from collections.abc import Callable

OnProgress = Callable[[str, float], None]
STEP = 0.01


class Progress:
    """Passes on what is new."""

    def __init__(self, listener: OnProgress | None) -> None:
        self._listener, self._stage, self._fraction = listener, "", -1.0

    def tell(self, stage: str, fraction: float) -> None:
        """Say where the run is."""
        if self._listener and (stage != self._stage or fraction >= self._fraction + STEP):
            self._stage, self._fraction = stage, fraction
            self._listener(stage, round(fraction, 3))
