"""The walls around the process that reads a hostile file."""

import ctypes
import os
import resource
import signal
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Per process: memory in MiB of address space, CPU in seconds, largest file in MiB."""

    memory_mb: int = 2048
    cpu_seconds: int = 3600
    file_mb: int = 65536
    open_files: int = 128


def enter(limits: Limits) -> None:
    """Put this process and all it forks behind the limits; there is no way back."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_mb * _MEBIBYTE),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_mb * _MEBIBYTE),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        _lower(kind, value)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the process `parent` ends, however it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the call above; then nobody would send the signal.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (ceiling, ceiling))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")
