"""A process that dies around a chosen request to AWS, before it or before reading its answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

from gas.storage import clients

T = TypeVar("T")

_EVENTS = ("before-call", "after-call")


class Crash(BaseException):
    """The process died."""


@contextmanager
def _dying_at(moment: int) -> Iterator[None]:
    """Die at the n-th moment and stay dead: nothing is tidied up after a crash."""
    moments = count(1)

    def die(**_: object) -> None:
        if next(moments) >= moment:
            raise Crash

    everyone = [
        clients.s3(),
        clients.s3(attempts=1),
        clients.glacier(),
        clients.glacier(attempts=1),
    ]
    for client in everyone:
        for event in _EVENTS:
            client.meta.events.register_first(event, die)
    try:
        yield
    finally:
        for client in everyone:
            for event in _EVENTS:
                client.meta.events.unregister(event, die)


def die_everywhere(
    verb: Callable[[T], object], make_subject: Callable[[], T], then: Callable[[T], object]
) -> int:
    """Run `verb` on a new subject, dying one moment later each time, until it gets through.

    `then` is called with each subject that it died on; returns how many there were.
    """
    deaths = 0
    while True:
        subject = make_subject()
        try:
            with _dying_at(deaths + 1):
                verb(subject)
        except Crash:
            deaths += 1
            then(subject)
        else:
            return deaths
