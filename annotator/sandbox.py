"""The walls around the process that reads a hostile file."""

import ctypes
import enum
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from annotator import landlock, seccomp
from annotator.errors import AnnotatorFailed
from annotator.landlock import READ, RENAME_FOLDERS, WRITE, Access

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MEBIBYTE = 1 << 20
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/urandom", "/dev/zero")


class Sandbox(enum.StrEnum):
    """What to do where the kernel cannot close files and network; the limits always stand."""

    REQUIRED = "required"  # refuse to work
    PREFERRED = "preferred"  # work, and say so
    OFF = "off"  # do not even try


@dataclass(frozen=True)
class Limits:
    """Per process: memory in MiB of address space, CPU in seconds, largest file in MiB.

    `processes` is how many more the user may have at once; the kernel does not hold root to it.
    """

    memory_mb: int = 2048
    cpu_seconds: int = 3600
    file_mb: int = 65536
    open_files: int = 128
    processes: int = 512


@dataclass(frozen=True)
class Places:
    """What the job may touch: what it reads, its own folder to write and rename, what it lists."""

    readable: tuple[Path, ...]
    folder: Path
    listable: tuple[Path, ...] = ()

    def allowed(self) -> list[tuple[Path, Access]]:
        """Return the job's places, the interpreter's and a few harmless devices."""
        interpreter = {sys.prefix, sys.base_prefix, *_LIBRARIES}
        return [
            *((path, READ) for path in self.readable),
            *((path, Access.READ_DIR) for path in self.listable),
            (Path(__file__).parent, READ),
            *((Path(path), READ) for path in sorted(interpreter)),
            *((Path(path), READ | Access.WRITE_FILE) for path in _DEVICES),
            (self.folder, WRITE),
            (self.folder.parent, RENAME_FOLDERS),
        ]


@dataclass(frozen=True)
class Walls:
    """Which walls stand; `landlock` is the kernel's version of it, or 0."""

    limits: Limits
    landlock: int = 0
    no_sockets: bool = False

    @property
    def missing(self) -> list[str]:
        """Name the walls that do not stand."""
        network = self.no_sockets or landlock.walls_off_tcp(self.landlock)
        return ([] if self.landlock else ["files"]) + ([] if network else ["network"])

    def __str__(self) -> str:
        files = f"Landlock {self.landlock}" if self.landlock else "OPEN"
        how = ["Landlock (TCP)"] if landlock.walls_off_tcp(self.landlock) else []
        network = " and ".join(how + ["seccomp"] * self.no_sockets) or "OPEN"
        limits = self.limits
        return (
            f"Walls: files {files}; network {network}; no new privileges;"
            f" memory {limits.memory_mb} MiB, CPU {limits.cpu_seconds} s,"
            f" file {limits.file_mb} MiB, {limits.open_files} open files,"
            f" {limits.processes} more processes"
        )


def enter(limits: Limits, *, places: Places, sandbox: Sandbox) -> Walls:
    """Put this process and all it forks behind the walls; there is no way back.

    Raises AnnotatorFailed when a wall is required and the kernel cannot raise it.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _limit(limits)
    walls = Walls(limits)
    if sandbox is not Sandbox.OFF:
        walls = Walls(limits, _close_files(places), seccomp.refuse_sockets())
    if walls.missing and sandbox is Sandbox.REQUIRED:
        raise AnnotatorFailed(
            f"this kernel cannot close {' and '.join(walls.missing)} to the annotator,"
            " and the sandbox is required"
        )
    return walls


def foreseen(limits: Limits) -> Walls:
    """Tell which walls this machine can raise; nothing is changed by asking."""
    return Walls(limits, landlock.abi(), seccomp.is_available())


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the process `parent` ends, however it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the call above; then nobody would send the signal.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _close_files(places: Places) -> int:
    version = landlock.abi()
    if version:
        landlock.restrict(places.allowed(), version)
    return version


def _limit(limits: Limits) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_mb * _MEBIBYTE),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_mb * _MEBIBYTE),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, _threads_of_this_user() + limits.processes),
        (resource.RLIMIT_CORE, 0),
    ):
        _lower(kind, value)


def _threads_of_this_user() -> int:
    """Count what the kernel counts against RLIMIT_NPROC; what ends meanwhile counts nothing."""
    count = 0
    for process in os.scandir("/proc"):
        try:
            if process.name.isdigit() and process.stat().st_uid == os.getuid():
                count += sum(1 for _ in Path(process.path, "task").iterdir())
        except OSError:
            continue
    return count


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (ceiling, ceiling))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")
