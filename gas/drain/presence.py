"""How the workers of a machine are found: each keeps a locked file with its number in one folder.

A lock ends with its process, however that ends, so that no process that bears the number later is
taken for a worker; and it is seen where `/proc` shows the processes of nobody else.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

SUFFIX = ".worker"
#: While this file is there, no worker of the machine is started.
DRAINING = "draining"


def announce(folder: Path) -> IO[str]:
    """Tell of this process for as long as it lives and the file that is returned is open."""
    path = folder / f"{os.getpid()}{SUFFIX}"
    while True:
        file = path.open("w")
        fcntl.lockf(file, fcntl.LOCK_EX)  # of this process alone: those that it forks hold nothing
        if path.exists():
            return file
        file.close()  # it was removed before it was locked


def workers(folder: Path) -> list[int]:
    """The numbers of the worker processes that live; the files of others are removed."""
    return sorted(_living(folder))


def _living(folder: Path) -> Iterator[int]:
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError), path.open("r+") as file:
            if not _is_held(file):
                path.unlink()
            elif path.stem.isdecimal():
                yield int(path.stem)


def _is_held(file: IO[str]) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    return False
