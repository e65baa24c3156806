"""The systemd of a chroot as the first process of a container, so that units run as on a machine.

The network is that of the tests, with the stand-ins of AWS and the database in it.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.waiting import until
from tests.deploy.machine import said_by

#: By pivot_root: Linux gives no namespace of users to who is in a chroot, and units ask for one.
BOOT = """
echo $$ >"$1/cgroup.procs"
exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc sh -ec '
    cd "$0"
    mount --bind . .
    cd "$0"
    mount -t proc proc proc
    mount -o bind,ro proc/sys proc/sys
    mount -t sysfs -o ro sysfs sys
    mount -t tmpfs tmpfs sys/fs/cgroup
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs run
    mount --rbind /dev dev
    pivot_root . mnt
    exec chroot . sh -c "umount -l /mnt
        exec env -i container=tests /lib/systemd/systemd --unit=basic.target"
' "$0"
"""
PATH = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Booted:
    """A machine that runs; `first` is the number of its first process outside of it."""

    first: int

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a program on it to its end."""
        spaces = ("--mount", "--pid", "--cgroup", "--ipc", "--uts", "--root", "--wd")
        place = ("nsenter", "--target", str(self.first), *spaces)
        return said_by(*place, "/usr/bin/env", "-i", PATH, *command)

    def is_up(self) -> bool:
        """Tell whether its systemd has started all that it was to start."""
        if Path(f"/proc/{self.first}/comm").read_text() != "systemd\n":
            return False  # it is not in its own place yet
        said = self.run("systemctl", "is-system-running").stdout.strip()
        return said in {"running", "degraded"}

    def main_process(self, unit: str) -> set[str]:
        """What Linux says of the process that a unit runs, line by line: proc_pid_status(5)."""
        return set(self.run("cat", f"/proc/{self._main(unit)}/status").stdout.splitlines())

    def place(self, unit: str) -> str:
        """The folder in which the process of a unit works."""
        return self.run("readlink", f"/proc/{self._main(unit)}/cwd").stdout.strip()

    def _main(self, unit: str) -> str:
        return self.run("systemctl", "show", "--property=MainPID", "--value", unit).stdout.strip()


def _groups() -> Path:
    """A new group of processes for it, of the second kind, which systemd wants to itself."""
    kinds = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    mounted = [place for _, place, kind, *_ in kinds if kind == "cgroup2"]
    if os.geteuid() != 0 or not mounted or not os.access(mounted[0], os.W_OK):
        pytest.skip("a systemd of its own needs root and the second kind of groups of processes")
    return Path(tempfile.mkdtemp(prefix="gas-tests-", dir=mounted[0]))


def _first(unshare: int) -> int:
    return int(Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()[0])


@contextmanager
def booted(root: Path) -> Iterator[Booted]:
    """Run the systemd of a chroot for the length of the block."""
    groups = _groups()
    process = subprocess.Popen(["sh", "-ec", BOOT, root, groups])
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        until(lambda: bool(children.read_text()), "the first process", seconds=60)
        machine = Booted(_first(process.pid))
        until(machine.is_up, "a systemd that is up", seconds=300)
        yield machine
    finally:
        process.kill()  # and by --kill-child all that is below it
        process.wait()
        until(lambda: _gone(groups), "the end of its processes", seconds=60)


def _gone(groups: Path) -> bool:
    """Remove the groups when nobody is in them any more."""
    if "populated 1" in (groups / "cgroup.events").read_text():
        return False
    for group in sorted(groups.rglob("*/"), reverse=True):
        group.rmdir()
    groups.rmdir()
    return True
