"""Two emulators of SQS that disagree in places; what holds on both holds on SQS."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev import local_aws
from dev.children import HOST, end, free_port, is_free, spawn
from dev.local_aws.server import environment_of
from dev.waiting import until

#: Each emulator, and the account whose queues it has.
ACCOUNTS = {"ministack": "000000000000", "moto": "123456789012"}


@contextmanager
def running(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """Run an emulator; yields the AWS variables that lead to it."""
    if name == "ministack":
        with local_aws.start(folder / "aws") as aws:
            yield aws.environment()
        return
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    server = spawn(command, {"PATH": os.environ["PATH"]}, folder / "moto.log")
    try:
        until(lambda: not is_free(port), "moto")
        yield environment_of(port)
    finally:
        end(server)


@contextmanager
def restartable(folder: Path) -> Iterator[tuple[dict[str, str], Callable[[], None]]]:
    """Run the emulator that keeps its queues when it stops; yields also what restarts it."""
    servers = [local_aws.start(folder / "aws")]

    def restart() -> None:
        servers[-1].stop()
        servers.append(local_aws.start(folder / "aws", servers[-1].port))

    try:
        yield servers[0].environment(), restart
    finally:
        servers[-1].stop()
