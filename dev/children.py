"""Servers that run as children of a developer's command and end with it."""

import fcntl
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import FrameType

from dev.waiting import NotInTime, until

HOST = "127.0.0.1"
STOP_SECONDS = 30


class DidNotStart(Exception):
    """A server ended, or did not answer in time."""


def end_in_order() -> None:
    """Let a command that is told to end, or loses its terminal, stop its servers first.

    A worker that only lost its parent would finish the work in hand, which may take hours.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep others out of a folder for the length of the block; they get DidNotStart."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DidNotStart(f"{folder} is in use by the same command elsewhere.") from None
        yield


_ANY = random.SystemRandom()  # no two processes choose alike, whatever they were seeded with


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on.

    Below those that the kernel gives to outgoing connections (from 32768 on), so that none of these
    takes it before its server does.
    """
    while True:
        port = _ANY.randrange(10_000, 32_768)
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


def is_free(port: int) -> bool:
    """Tell whether nobody listens on this port."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex((HOST, port)) != 0


def spawn(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a server that logs to a file and gets exactly this environment.

    The kernel ends it with the thread that started it, however that ends.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def wait_for(
    name: str,
    process: subprocess.Popen[bytes],
    answers: Callable[[], bool],
    log: Path,
    *,
    seconds: float,
) -> None:
    """Return when a server answers; DidNotStart, with the end of its log, when it does not."""
    with suppress(NotInTime):
        until(lambda: process.poll() is not None or answers(), name, seconds=seconds)
    if process.poll() is not None or not answers():
        raise DidNotStart(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def end(process: subprocess.Popen[bytes], *, seconds: float = STOP_SECONDS) -> None:
    """Ask a server to stop, make it after some seconds, and wait until it has gone."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def children_of(pid: int) -> list[int]:
    """Return the processes below a process, the youngest first."""
    direct = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [below for child in map(int, direct) for below in [*children_of(child), child]]
