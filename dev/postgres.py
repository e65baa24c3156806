"""`python -m dev.postgres COMMAND...`: run a command on a PostgreSQL of its own (`DATABASE_URL`).

The server is Debian's, in a temporary folder, on a loopback port, and ends with the command.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.children import HOST, free_port, wait_for

START_SECONDS = 120
STOP_SECONDS = 30


@dataclass(frozen=True)
class Postgres:
    """A running server; `url` is a database of it in Django's form."""

    folder: Path
    port: int
    account: str | None
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """The address of its one database."""
        return f"postgresql://postgres@{HOST}:{self.port}/postgres"

    def stop(self) -> None:
        """Stop at once; clients lose their connections."""
        self.process.send_signal(signal.SIGINT)  # SIGTERM would wait for the clients
        self.process.wait(STOP_SECONDS)


def binary(name: str) -> str:
    """Find a program of the newest PostgreSQL that Debian installed."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found:
        sys.exit("PostgreSQL is not installed: apt-get install postgresql")
    return str(found[-1])


def _account() -> str | None:
    """PostgreSQL refuses to run as root; its package brings an account for it."""
    return pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None


@contextmanager
def running(port: int | None = None) -> Iterator[Postgres]:
    """Run a new, empty server for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="gas-postgres-"))
    account = _account()
    if account:
        shutil.chown(folder, account)
    try:
        initdb = [binary("initdb"), "-D", "data", "-U", "postgres", "-A", "trust", "--no-sync"]
        unicode = ["-E", "UTF8", "--locale=C.UTF-8"]  # whatever the caller's language is
        subprocess.run(
            [*initdb, *unicode], cwd=folder, user=account, check=True, stdout=subprocess.DEVNULL
        )
        server = start(folder, port or free_port(), account)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def start(folder: Path, port: int, account: str | None) -> Postgres:
    """Start a server on the data in `folder`, new or of an earlier run."""
    server = [binary("postgres"), "-D", "data", "-p", str(port), "-c", f"listen_addresses={HOST}"]
    quick = ["-c", "fsync=off", "-c", "unix_socket_directories="]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [*server, *quick], cwd=folder, user=account, stdout=log, stderr=subprocess.STDOUT
        )
    ready = [binary("pg_isready"), "-q", "-h", HOST, "-p", str(port)]
    wait_for(
        "PostgreSQL",
        process,
        lambda: subprocess.run(ready, check=False).returncode == 0,
        folder / "server.log",
        seconds=START_SECONDS,
    )
    return Postgres(folder, port, account, process)


def main() -> int:
    """Run the command and return its exit code."""
    with running() as server:
        environment = {**os.environ, "DATABASE_URL": server.url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
