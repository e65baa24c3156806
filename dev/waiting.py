"""Waiting for something to become so, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


class NotInTime(Exception):
    """What was waited for did not come."""


def until(found: Callable[[], Found], what: str, *, seconds: float = 180) -> Found:
    """Ask again and again until the answer is true, and return it; NotInTime after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > deadline:
            raise NotInTime(f"{what}: not within {seconds:g} s")
        time.sleep(0.1)
    return answer
