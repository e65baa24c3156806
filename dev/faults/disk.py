"""A disk for the scratch files of each annotating worker, small enough to be filled.

It is mounted in a namespace of that worker, and goes with it; which takes the rights of root.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from dev.stack import Stack

MEGABYTES = 320  # more than an annotator must leave to others
FILLER = "filler"

_MOUNT = f'mount -t tmpfs -o size={MEGABYTES}m scratch "$0" && exec "$@"'


def on_its_own(command: list[str], folder: Path) -> list[str]:
    """The command with a disk of its own at `folder`; its process keeps its number."""
    return ["unshare", "--mount", "sh", "-c", _MOUNT, str(folder), *command]


@cache
def is_possible() -> bool:
    """Whether this machine lets us mount one."""
    tried = subprocess.run(on_its_own(["true"], Path("/mnt")), capture_output=True, check=False)
    return tried.returncode == 0


def fill(folder: Path) -> None:
    """Leave no room on such a disk."""
    if os.statvfs(folder).f_blocks * os.statvfs(folder).f_frsize != MEGABYTES << 20:
        raise ValueError(f"{folder} is no disk of its own")
    with (folder / FILLER).open("ab") as file:
        while room := os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize:
            with suppress(OSError):  # somebody was faster
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, room)


def empty(folder: Path) -> None:
    """Give the room back."""
    (folder / FILLER).unlink(missing_ok=True)


class StackWithDisks(Stack):
    """A stack whose annotating workers have a disk each, where that is possible."""

    def command(self, name: str) -> list[str]:
        """The command line of a process."""
        command = super().command(name)
        if not self.has_disk(name):
            return command
        self.scratch(name).mkdir(exist_ok=True)
        return on_its_own(command, self.scratch(name))

    def environment_of(self, name: str) -> dict[str, str]:
        """The environment of a process."""
        own = {"TMPDIR": str(self.scratch(name))} if self.has_disk(name) else {}
        return super().environment_of(name) | own

    def has_disk(self, name: str) -> bool:
        """Whether a process has one."""
        return name.startswith("worker") and is_possible()

    def scratch(self, name: str) -> Path:
        """Where a process has its disk, in its own eyes."""
        return (self.folder / f"scratch-{name}").absolute()

    @contextmanager
    def full_disk(self, name: str) -> Iterator[None]:
        """Let the disk of a process be full for the length of the block."""
        disk = Path(f"/proc/{self.processes[name].pid}/root{self.scratch(name)}")
        try:
            with suppress(FileNotFoundError):  # the process is gone, and its disk with it
                fill(disk)
            yield
        finally:
            with suppress(FileNotFoundError):
                empty(disk)
