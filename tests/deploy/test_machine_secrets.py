"""Secrets of the local AWS, and a PostgreSQL whose password changes while it is used."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from dev import local_aws, postgres
from dev.children import HOST
from dev.local_aws.server import CREDENTIALS, REGION
from gas import env
from gas.env import ROOT
from tests.deploy.machine import program

pytestmark = pytest.mark.deploy

SECRET, SETTINGS = "gas/database", "gas/settings"
GUARDED = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@dataclass
class Machine:
    """A machine with secrets at AWS and a database that asks for a password."""

    folder: Path
    store: Any
    admin: "psycopg.Connection[Any]"
    settings: dict[str, str]
    opened: list[Any] = field(default_factory=list)

    def database(self) -> Any:
        """A connection of a process that started with the address alone, not yet opened."""
        handler = ConnectionHandler({DEFAULT_DB_ALIAS: env.database("DATABASE_URL", "")})
        self.opened.append(handler[DEFAULT_DB_ALIAS])
        return self.opened[-1]

    def learns(self, *options: str) -> int:
        """What a unit runs before each start, and with `--database` every minute."""
        command = [sys.executable, "-m", "gas.secret_store", str(self.folder), *options]
        around = {"PATH": os.environ["PATH"], **self.settings}
        return subprocess.run(command, cwd=ROOT, env=around, check=False).returncode

    def role(self, name: str, password: str) -> None:
        """Give a role of the database this password, and tell Secrets Manager."""
        exists = self.admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        verb = "ALTER" if exists else "CREATE"
        self.admin.execute(f"{verb} ROLE {name} LOGIN PASSWORD '{password}'")
        text = json.dumps({"username": name, "password": password})
        self.store.put_secret_value(SecretId=SECRET, SecretString=text)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL that asks everybody but its administrator for a password."""
    program("pg_lsclusters")
    with postgres.running() as running:
        (running.folder / "data/pg_hba.conf").write_text(GUARDED)
        with psycopg.connect(running.url, autocommit=True) as admin:
            admin.execute("SELECT pg_reload_conf()")
        yield running


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_aws.LocalAws]:
    """The local AWS with both secrets."""
    with local_aws.start(tmp_path_factory.mktemp("aws")) as running:
        store = boto3.client(
            "secretsmanager",
            endpoint_url=running.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        variables = {"GAS_SECRET_KEY": "of the store", "GAS_STRIPE_KEY": "sk_of_the_store"}
        store.create_secret(Name=SETTINGS, SecretString=json.dumps(variables))
        store.create_secret(Name=SECRET, SecretString="{}")
        yield running


@pytest.fixture
def machine(
    tmp_path: Path,
    aws: local_aws.LocalAws,
    server: postgres.Postgres,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Machine]:
    """A machine that has learned its first password."""
    store = boto3.client(
        "secretsmanager",
        endpoint_url=aws.endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    settings = aws.environment() | {"GAS_SECRETS": SETTINGS, "GAS_DATABASE_SECRET": SECRET}
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "pg_service.conf"))
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{HOST}:{server.port}/postgres?service=gas")
    with psycopg.connect(server.url, autocommit=True) as admin:
        made = Machine(tmp_path, store, admin, settings)
        made.role("gas", "first")
        assert made.learns() == 0
        with django_db_blocker.unblock():  # no database of the tests is touched
            yield made
            for connection in made.opened:
                connection.close()


def who(connection: Any) -> str:
    """Whom the database takes a connection for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def test_a_new_password_ends_no_work_and_asks_for_no_restart(machine: Machine) -> None:
    at_work, idle = machine.database(), machine.database()
    assert who(at_work) == who(idle) == "gas"
    idle.close()
    with at_work.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE work AS SELECT 1 AS done")
        machine.role("gas", "second")
        assert machine.learns("--database") == 0
        cursor.execute("SELECT done FROM work")  # the connection of before goes on
        assert cursor.fetchone() == (1,)
    assert who(idle) == "gas"  # the same process, a new connection
    at_work.close()
    assert who(at_work) == "gas"


def test_the_password_of_before_is_really_refused(machine: Machine) -> None:
    connection = machine.database()
    machine.role("gas", "third")
    with pytest.raises(OperationalError, match="password authentication failed"):
        who(connection)
    machine.learns("--database")
    assert who(connection) == "gas"


def test_where_two_users_take_turns_nobody_is_refused_at_any_moment(machine: Machine) -> None:
    connection = machine.database()
    machine.role("gas_clone", "of the second user")
    assert who(connection) == "gas"  # the machine has not looked yet
    connection.close()
    machine.learns("--database")
    assert who(connection) == "gas_clone"


def test_the_variables_of_the_store_are_the_environment_of_a_process(machine: Machine) -> None:
    asked = "from django.conf import settings; print(settings.SECRET_KEY, settings.STRIPE_KEY)"
    unit = f'set -a; . {machine.folder}/secrets.env; exec {sys.executable} -c "{asked}"'
    around = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "gas.settings"}
    done = subprocess.run(
        ["/bin/bash", "-c", unit], cwd=ROOT, env=around, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "of the store sk_of_the_store"


def test_who_may_not_read_a_secret_gets_none(machine: Machine) -> None:
    for file in machine.folder.iterdir():
        file.unlink()
    machine.settings |= {"AWS_ACCESS_KEY_ID": "AKIAOFNOBODY", "AWS_SECRET_ACCESS_KEY": "nothing"}
    assert machine.learns() == 1
    assert not list(machine.folder.iterdir())
