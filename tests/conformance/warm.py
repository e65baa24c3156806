"""The annotator's child, forked from a process that has its imports instead of started afresh.

`warm_children()` lets `child.run` be called a hundred times in the seconds that ten starts take.
Only the start differs: what is forked gets the arguments, the pipes, the folder, the environment
and the session that `child` would give it, and runs the program's own `main` behind its walls.
"""

import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from annotator import child
from annotator.__main__ import main

DEADLINE = 60.0  # seconds that killed processes may take to end
MESSAGE_BYTES = 1 << 16
ROOT = Path(__file__).parents[2]


class Forked:
    """As much of subprocess.Popen as `child` uses."""

    def __init__(self, server: socket.socket, arguments: list[str]) -> None:
        self._server = server
        self.returncode: int | None = None
        ours, theirs = zip(os.pipe(), os.pipe(), strict=True)
        socket.send_fds(server, [pickle.dumps(arguments)], theirs)
        for descriptor in theirs:
            os.close(descriptor)
        self.stdout, self.stderr = (os.fdopen(descriptor, "rb") for descriptor in ours)
        self.pid: int = pickle.loads(server.recv(MESSAGE_BYTES))

    def wait(self) -> int:
        """Return the exit status as subprocess would tell it."""
        if self.returncode is None:
            self._server.send(pickle.dumps(self.pid))
            self.returncode = pickle.loads(self._server.recv(MESSAGE_BYTES))
        return self.returncode


@contextmanager
def warm_children() -> Iterator[list[int]]:
    """Have `child.run` fork its children from one warm process meanwhile; yield their ids."""
    started: list[int] = []
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.conformance.warm", str(theirs.fileno())]
    with ours, subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()]) as server:
        theirs.close()

        def start(source: Path, outdir: Path, options: list[str]) -> Any:
            places = [str(source.absolute()), str(outdir.absolute())]
            forked = Forked(ours, ["run", *places, *options, "--parent", str(server.pid)])
            started.append(forked.pid)
            return forked

        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(child, "_start", start)
                yield started
        finally:
            ours.close()  # which ends the server


def left_of(session: int) -> list[str]:
    """Name what goes on running in the session that a child began, which it cannot leave."""
    deadline, found = time.monotonic() + DEADLINE, list[str]()
    with suppress(ProcessLookupError):  # there is nobody, not even dead
        while time.monotonic() < deadline:
            os.killpg(session, 0)
            if not (found := _processes_of(session)):
                break
    return found


def _processes_of(session: int) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            name, _, rest = place.read_text(errors="replace").rpartition(")")
            state, _, _, its_session = rest.split()[:4]
            if int(its_session) == session and state != "Z":
                found.append(name)
    return found


def serve(requests: socket.socket) -> None:
    """Fork for each list of arguments and tell the pid; for a pid, wait and tell the status."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, MESSAGE_BYTES, 2)
        if not message:
            return
        request = pickle.loads(message)
        if isinstance(request, list):
            answer = os.fork()
            if answer == 0:
                become_child(requests, descriptors)
                status = main(request)
                sys.stdout.flush()
                os._exit(status)  # taking a Python apart takes as long as a small annotation
            for descriptor in descriptors:
                os.close(descriptor)
        else:
            _, status = os.waitpid(request, 0)
            answer = os.waitstatus_to_exitcode(status)
        requests.send(pickle.dumps(answer))


def become_child(requests: socket.socket, descriptors: list[int]) -> None:
    """Stand where `child` puts its process: own session, its pipes, nothing else open."""
    requests.close()
    os.setsid()
    for standard, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, standard)
        os.close(descriptor)


if __name__ == "__main__":
    os.environ.clear()
    os.environ.update({"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tests end it by closing its socket
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
