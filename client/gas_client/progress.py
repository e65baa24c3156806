"""How the client tells how far it is: to nobody, or by bars on a terminal."""

import sys
import threading
from typing import Any, Protocol

from tqdm import tqdm

from gas_client.answers import plain


class Bar(Protocol):
    """One thing on its way."""

    def advance(self, count: int) -> None:
        """Tell of so many more; fewer than zero when some must be done again."""

    def say(self, words: str) -> None:
        """Tell in words where it is."""

    def close(self) -> None:
        """Tell that no more will come."""


class Progress(Protocol):
    """Whoever wants to know."""

    def bar(self, label: str, *, total: int, unit: str = "B") -> Bar:
        """Begin to tell of something that has `total` bytes, or another unit."""

    def note(self, sentence: str) -> None:
        """Tell something on the way, such as a wait."""


class Silent:
    """Nobody wants to know."""

    def bar(self, label: str, *, total: int, unit: str = "B") -> "Silent":
        """Begin to tell nothing."""
        return self

    def say(self, words: str) -> None:
        """Tell nothing."""

    def note(self, sentence: str) -> None:
        """Tell nothing."""

    def advance(self, count: int) -> None:
        """Tell nothing."""

    def close(self) -> None:
        """Tell nothing."""


class _TqdmBar:
    """A bar that several threads advance."""

    def __init__(self, label: str, total: int, unit: str) -> None:
        self._lock = threading.Lock()
        self._bar: Any = tqdm(
            desc=plain(label),
            total=total,
            unit=unit,
            unit_scale=unit == "B",
            unit_divisor=1024,
            leave=False,
            bar_format=None
            if unit == "B"
            else "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}",
        )

    def advance(self, count: int) -> None:
        with self._lock:
            self._bar.update(count)

    def say(self, words: str) -> None:
        with self._lock:
            self._bar.set_postfix_str(words)

    def close(self) -> None:
        with self._lock:
            self._bar.close()


class Bars:
    """Bars on the standard error output, and notes between them."""

    def bar(self, label: str, *, total: int, unit: str = "B") -> Bar:
        """Draw a bar."""
        return _TqdmBar(label, total, unit)

    def note(self, sentence: str) -> None:
        """Write a line above the bars."""
        tqdm.write(sentence, file=sys.stderr)
