"""Servers that run as children of a developer's command and end with it."""

import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

HOST = "127.0.0.1"
STOP_SECONDS = 10


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
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


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to stop, make it after ten seconds, and wait until it has gone."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def children_of(pid: int) -> list[int]:
    """Return the processes below a process, the youngest first."""
    direct = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [below for child in map(int, direct) for below in [*children_of(child), child]]
