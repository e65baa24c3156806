"""Landlock: this process names the files it may touch, and the kernel refuses all others.

Numbers and layouts: include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst of
Linux 6.18. A kernel knows an ABI version; what a newer one adds is left out on an older one.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_ASK_VERSION = 1
_PATH_BENEATH = 1
_ALL_TCP = 0b11  # bind and connect
_ALL_SCOPES = 0b11  # abstract sockets of others, signals to others
_TCP_FROM, _SCOPES_FROM = 4, 6


class Access(IntFlag):
    """What may be done with a file or below a folder."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Access.READ_FILE | Access.READ_DIR
WRITE = (
    READ
    | Access.WRITE_FILE
    | Access.TRUNCATE
    | Access.MAKE_REG
    | Access.MAKE_DIR
    | Access.MAKE_SYM
    | Access.REMOVE_FILE
    | Access.REMOVE_DIR
    | Access.REFER
)
RENAME_FOLDERS = Access.MAKE_DIR | Access.REMOVE_DIR
_OF_A_FILE = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE


def abi() -> int:
    """Return the kernel's Landlock version; 0 where it has none."""
    version: int = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    return max(0, version)


def walls_off_tcp(version: int) -> bool:
    """Tell whether that version can refuse TCP."""
    return version >= _TCP_FROM


def restrict(allowed: Iterable[tuple[Path, Access]], version: int) -> None:
    """Leave this process and all it forks nothing but `allowed`; paths that are absent are skipped.

    Needs no_new_privs. Raises OSError when the kernel refuses.
    """
    handled = _handled(version)
    ruleset = _call(_CREATE_RULESET, *_ruleset(handled, version), ctypes.c_uint(0))
    try:
        for path, access in allowed:
            _add(ruleset, path, access & handled)
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)


def _handled(version: int) -> Access:
    newer = {2: Access.REFER, 3: Access.TRUNCATE, 5: Access.IOCTL_DEV}
    handled = Access(sum(Access))
    for since, access in newer.items():
        if version < since:
            handled &= ~access
    return handled


def _ruleset(handled: Access, version: int) -> tuple[ctypes.Array[ctypes.c_char], ctypes.c_size_t]:
    attributes = struct.pack("<Q", handled)
    if version >= _TCP_FROM:
        attributes += struct.pack("<Q", _ALL_TCP)
    if version >= _SCOPES_FROM:
        attributes += struct.pack("<Q", _ALL_SCOPES)
    return ctypes.create_string_buffer(attributes), ctypes.c_size_t(len(attributes))


def _add(ruleset: int, path: Path, access: Access) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            access &= _OF_A_FILE
        rule = ctypes.create_string_buffer(struct.pack("<Qi", access, place))
        _call(_ADD_RULE, ctypes.c_int(ruleset), _PATH_BENEATH, rule, ctypes.c_uint(0))
    finally:
        os.close(place)


def _call(number: int, *arguments: object) -> int:
    result = _libc().syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock call {number}: {os.strerror(code)}")
    return int(result)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
