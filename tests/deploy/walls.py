"""`python -m tests.deploy.walls COMMAND...`: run a command behind the calls that our units refuse.

Without systemd as the first process this is what can be had of them, done as its
src/shared/seccomp-util.c does it: SystemCallFilter=, MemoryDenyWriteExecute=,
RestrictAddressFamilies= and NoNewPrivileges=.
"""

import ctypes
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import NoReturn

from tests.deploy.machine import WALLS, lines_of

_ALLOW = 0x7FFF0000
_MASKED_EQUAL, _EQUAL = 7, 4
_WRITE, _EXECUTE, _SHM_EXECUTE = 2, 4, 0o100000
#: What of every service is allowed without a word: systemd.exec(5).
_ALWAYS = "@default"


class Compare(ctypes.Structure):
    """struct scmp_arg_cmp: an argument of a call, and what makes the rule apply."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    ]


class Filter:
    """A filter of libseccomp, in the making."""

    def __init__(self, otherwise: int) -> None:
        self._lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._lib.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._lib.seccomp_init(ctypes.c_uint32(otherwise)))

    def rule(self, action: int, call: str, *compares: Compare) -> None:
        """Add a rule for a call; one that this architecture lacks is left out."""
        number = self._lib.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return
        given = (Compare * len(compares))(*compares)
        done = self._lib.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(action), number, len(compares), given
        )
        if done:
            raise OSError(-done, f"no rule for {call}")

    def load(self) -> None:
        """Put this process and all that it starts behind the filter."""
        if done := self._lib.seccomp_load(self._context):
            raise OSError(-done, "seccomp_load")


def refuse(code: int) -> int:
    """The action that lets a call fail."""
    return 0x00050000 | code


def calls_of(name: str) -> Iterator[str]:
    """The calls of a set of systemd's, or the one call of that name."""
    if not name.startswith("@"):
        yield name
        return
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines()[1:]:
        if (word := line.strip()) and not word.startswith("#"):
            yield from calls_of(word)


def allowed() -> set[str]:
    """The calls that the units allow, its lines added and taken away in their order."""
    calls = set(calls_of(_ALWAYS))
    for line in lines_of(WALLS, "SystemCallFilter"):
        named = {call for word in line.removeprefix("~").split() for call in calls_of(word)}
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def enter() -> None:
    """Put this process behind them; there is no way back."""
    usual = Filter(_ALLOW)
    both = _WRITE | _EXECUTE
    usual.rule(refuse(errno.EPERM), "mmap", Compare(2, _MASKED_EQUAL, both, both))
    for call in ("mprotect", "pkey_mprotect"):
        usual.rule(refuse(errno.EPERM), call, Compare(2, _MASKED_EQUAL, _EXECUTE, _EXECUTE))
    usual.rule(refuse(errno.EPERM), "shmat", Compare(2, _MASKED_EQUAL, _SHM_EXECUTE, _SHM_EXECUTE))
    [line] = lines_of(WALLS, "RestrictAddressFamilies")
    kept = {getattr(socket, name) for name in line.split()}
    for family in set(range(46)) - kept:
        usual.rule(refuse(errno.EAFNOSUPPORT), "socket", Compare(0, _EQUAL, family))
    usual.load()
    listed = Filter(refuse(errno.EPERM))
    for call in sorted(allowed()):
        listed.rule(_ALLOW, call)
    listed.load()


def main(command: list[str]) -> NoReturn:
    """Become the command, behind the walls."""
    enter()
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
