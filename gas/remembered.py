"""What a process remembers for some seconds, so that not every question reads it anew."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core.cache import cache

T = TypeVar("T")


@dataclass(frozen=True)
class Remembered(Generic[T]):
    """A value that is read at most once in so many seconds, under a name of its own."""

    name: str
    seconds: float
    read: Callable[[], T]

    def value(self) -> T:
        """Return it as of some seconds ago; raises what reading it raises."""
        kept: tuple[T] | None = cache.get(self.name)  # a value that is None is remembered too
        if kept is None:
            kept = (self.read(),)
            cache.set(self.name, kept, self.seconds)
        return kept[0]

    def forget(self) -> None:
        """Read it anew at the next question."""
        cache.delete(self.name)
