"""A filter on system calls: no sockets, no leaving the process group, no reach into others.

Layouts: include/uapi/linux/{filter,seccomp,audit}.h; call numbers: the tables of x86-64 and of
AArch64 in Linux 6.18.
"""

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_PR_GET_SECCOMP, _PR_SET_SECCOMP = 21, 22
_MODE_FILTER = 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # struct seccomp_data
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_X32 = 0x40000000  # the same calls under other numbers


#: What is refused, with its numbers on x86-64 and AArch64.
REFUSED = {
    "socket": (41, 198),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "io_uring_setup": (425, 425),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
}


@dataclass(frozen=True)
class _Architecture:
    audit: int
    refused: tuple[int, ...]


_KNOWN = {
    "x86_64": _Architecture(0xC000003E, tuple(numbers[0] for numbers in REFUSED.values())),
    "aarch64": _Architecture(0xC00000B7, tuple(numbers[1] for numbers in REFUSED.values())),
}


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def is_available() -> bool:
    """Tell whether the filter can be put up here."""
    libc = ctypes.CDLL(None, use_errno=True)
    return platform.machine() in _KNOWN and libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0


def refuse_sockets() -> bool:
    """Put the filter on this process and all it forks; False where that cannot be done.

    Needs no_new_privs.
    """
    architecture = _KNOWN.get(platform.machine())
    if architecture is None:
        return False
    code = _filter(architecture)
    buffer = ctypes.create_string_buffer(code)
    program = _Program(len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0:
        return True
    code_of_error = ctypes.get_errno()
    if code_of_error in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(code_of_error, f"seccomp: {os.strerror(code_of_error)}")


def _filter(architecture: _Architecture) -> bytes:
    """Jumps count the instructions to skip: the last two are ALLOW and REFUSE."""
    refused = architecture.refused
    to_refuse = len(refused)  # from the first comparison below to REFUSE, less one
    return b"".join(
        [
            _step(_LOAD, value=_ARCHITECTURE_AT),
            _step(_EQUAL, value=architecture.audit, no=to_refuse + 3),
            _step(_LOAD, value=_NUMBER_AT),
            _step(_AT_LEAST, value=_X32, yes=to_refuse + 1),
            *(_step(_EQUAL, value=number, yes=to_refuse - at) for at, number in enumerate(refused)),
            _step(_RETURN, value=_ALLOW),
            _step(_RETURN, value=_REFUSE),
        ]
    )


def _step(code: int, *, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)
