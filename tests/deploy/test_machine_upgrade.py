"""From release to release: one machine migrates, and a site that restarts refuses nobody."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from dev import postgres
from dev.children import HOST, end
from dev.waiting import until
from gas.env import ROOT

pytestmark = pytest.mark.deploy

HERE = "the database was brought to this release here"
DONE = "the database is as this release wants it"
MACHINES = 3


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL without a table."""
    with postgres.running() as running:
        yield running


@pytest.fixture
def database(server: postgres.Postgres, tmp_path: Path) -> str:
    """The address of an empty database."""
    name = f"gas_{tmp_path.name.lower().replace('-', '_')[:40]}"
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        admin.execute(f'CREATE DATABASE "{name}"')
    return f"{server.url.rpartition('/')[0]}/{name}"


def starts(database: str) -> "subprocess.Popen[str]":
    """A machine that starts: what its unit runs before anything serves."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate_once"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": database},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(machine: "subprocess.Popen[str]") -> str:
    """What it says in the end, which must be a good one."""
    words, _ = machine.communicate(timeout=300)
    assert machine.returncode == 0, words
    return words


def test_of_many_machines_one_migrates_and_the_others_wait_for_it(database: str) -> None:
    words = [said(machine) for machine in [starts(database) for _ in range(MACHINES)]]
    assert [HERE in each for each in words].count(True) == 1
    assert all(each.splitlines()[-1] == DONE for each in words)


def test_a_machine_of_the_release_before_changes_nothing(database: str) -> None:
    assert HERE in said(starts(database))
    with psycopg.connect(database, autocommit=True) as newer:
        newer.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('gas', '9999_next', now())"
        )
        newer.execute("ALTER TABLE gas_job ADD COLUMN of_the_next_release integer")
        assert HERE not in said(starts(database))
        assert newer.execute("SELECT of_the_next_release FROM gas_job").fetchall() == []


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """The socket of gas-web.socket, which the first process holds open."""
    with closing(socket.create_server((HOST, 0), backlog=2048)) as made:
        yield made


def site(listening: socket.socket, folder: Path) -> "subprocess.Popen[bytes]":
    """Start the site on a socket that is handed to it as systemd does: sd_listen_fds(3)."""
    program = Path(sys.executable).with_name("gunicorn")
    script = f'exec 3<&{listening.fileno()}; export LISTEN_PID=$$; exec {program} "$@"'
    around = {
        "PATH": os.environ["PATH"],
        "LISTEN_FDS": "1",
        "GAS_SECRET_KEY": "of this test",
        "DATABASE_URL": f"sqlite:///{folder}/gas.sqlite3",
    }
    return subprocess.Popen(
        ["/bin/bash", "-c", script, "site", "gas.wsgi", "--threads=8", "--graceful-timeout=60"],
        cwd=ROOT,
        env=around,
        pass_fds=[listening.fileno()],
    )


class Visitors(threading.Thread):
    """Somebody who asks again and again, each time by a new connection."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.answers: list[str] = []
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.is_set():
            try:
                with socket.create_connection((HOST, self._port), timeout=120) as visitor:
                    visitor.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                    self.answers.append(visitor.recv(64).split(b"\r\n")[0].decode())
            except OSError as refused:
                self.answers.append(repr(refused))


def test_no_visitor_is_refused_while_the_site_is_replaced(
    listening: socket.socket, tmp_path: Path
) -> None:
    visitors = Visitors(listening.getsockname()[1])
    process = site(listening, tmp_path)
    try:
        visitors.start()
        until(lambda: len(visitors.answers) > 3, "answers of the first", seconds=120)
        end(process)
        before = len(visitors.answers)
        process = site(listening, tmp_path)
        until(lambda: len(visitors.answers) > before + 3, "answers of the second", seconds=120)
    finally:
        visitors.enough.set()
        visitors.join(120)
        end(process)
    assert {answer.partition(" ")[2] for answer in visitors.answers} == {"200 OK"}
