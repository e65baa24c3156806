"""A folder of its own for a job's files on this machine; what killed processes left is removed."""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "gas-job-"
#: Seconds; a folder has no lock yet in the moment that it is made.
YOUNG = 60


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder that is held by a lock while this process lives, and removed afterwards."""
    remove_left()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        held = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(held)


def remove_left() -> None:
    """Remove the folders whose processes were killed, whichever worker of this machine they were.

    The kernel lets go of a lock with the process that held it, however that ended.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else removes it, or holds it
            _remove_unless_held(folder)


def _remove_unless_held(folder: Path) -> None:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(held)
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        if ours and time.time() - found.st_mtime > YOUNG:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    finally:
        os.close(held)
