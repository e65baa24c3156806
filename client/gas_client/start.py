"""The command's first moment and its last: Ctrl-C at any time is one line and exit code 130.

This is imported before anything that takes long, and needs nothing of it.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import NoReturn

INTERRUPTED, STDERR = 130, 2
WORDS = "Interrupted. What has arrived is kept: repeat the command to go on."


class Interrupted(BaseException):
    """Ctrl-C while the command is at work."""


def main() -> int:
    """Run the command `gas`; returns its exit code."""
    hold()
    code: int = import_module("gas_client.cli.main").run()  # after the line above, on purpose
    return code


def hold() -> None:
    """From now on Ctrl-C ends the program at once, unless whoever started it wants it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)


@contextmanager
def raised() -> Iterator[None]:
    """Let Ctrl-C raise Interrupted in here, so that what is open is closed; a second one ends it.

    Nothing changes where nobody called `hold`, as in a notebook.
    """
    if signal.getsignal(signal.SIGINT) is not leave:
        yield
        return
    signal.signal(signal.SIGINT, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, leave)


def _raise(*_: object) -> NoReturn:
    signal.signal(signal.SIGINT, leave)
    raise Interrupted


def leave(*_: object) -> NoReturn:
    """End the program at once with one line, whatever its threads are at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        below = "\n" if os.isatty(STDERR) else ""  # the bar and the terminal's own "^C"
        os.write(STDERR, f"{below}{WORDS}\n".encode())
    os._exit(INTERRUPTED)
