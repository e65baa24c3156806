"""How real: every process of the service, a local AWS, real child processes; used over HTTP."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dev import local_vaults
from dev.demo import TIMERS
from dev.local_aws import Mail, mails_at
from dev.stack import Ports, Stack
from dev.visitor import Visitor
from dev.waiting import until

QUICK = TIMERS | {"GAS_LEASE": "4s", "GAS_RESEND_AFTER": "8s", "GAS_SWEEP_EVERY": "4s"}


def database_settings() -> dict[str, str]:
    """A new database on the PostgreSQL that the run was given; else the stack's own SQLite."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgresql"):
        return {}
    name = f"gas_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return {"DATABASE_URL": f"{server.rpartition('/')[0]}/{name}"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The service with the default archive and results that stay for a while."""
    settings = QUICK | database_settings() | {"GAS_FREE_RETENTION": "1h"}
    with Stack(tmp_path_factory.mktemp("stack"), Ports.free(), settings) as running:
        yield running


@pytest.fixture(params=["s3", "vault"])
def archiving_stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """The service, not started, with each kind of archive and results that go there soon."""
    settings = QUICK | database_settings() | {"GAS_METRICS": "emf"}
    if request.param == "s3":
        yield Stack(tmp_path, Ports.free(), settings)
        return
    with local_vaults.start(tmp_path / "vaults.log") as vaults:
        vaults.create("gas-archive")
        glacier = {"GAS_ARCHIVE": "gas.storage.glacier_vault.GlacierVaultArchive"}
        yield Stack(tmp_path, Ports.free(), settings | glacier | vaults.environment())


@pytest.fixture
def researcher(stack: Stack) -> Visitor:
    """A free researcher who has signed in."""
    visitor = Visitor(stack.site_url)
    visitor.sign_in("Free researcher")
    return visitor


def mails_about(stack: Stack, file: Path) -> list[Mail]:
    """The mails that name a file in their subject."""
    endpoint = stack.environment["AWS_ENDPOINT_URL"]
    return [mail for mail in mails_at(endpoint) if file.name in mail.subject]


def wait_for(visitor: Visitor, address: str, status: str, *, seconds: float = 180) -> None:
    """Wait until the page of a job says that it is so."""
    until(
        lambda: visitor.open(address).facts.get("data-status") == status,
        f"the job at {address} to be {status}",
        seconds=seconds,
    )
