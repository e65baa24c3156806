"""How real: our storage code over HTTP against local stand-ins for S3, SQS, SES and Glacier."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from celeryconfig import QUEUES, THAWED
from dev import local_aws, local_vaults
from dev.local_aws import LocalAws
from dev.local_vaults import LocalVaults
from gas.storage import clients, objects
from gas.storage.locations import results
from gas.storage.objects import Stored

VAULTS = ("patient", "busy")

Publish = Callable[[bytes], Stored]


def provision(server: LocalAws) -> None:
    """Make what the settings and the table of queues name."""
    server.provision(
        [*QUEUES.values(), THAWED],
        settings.BUCKETS,
        origin=settings.BASE_URL,
        sender=settings.DEFAULT_FROM_EMAIL,
    )


@pytest.fixture(scope="package")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """The environment of every test here: it alone leads the clients to the stand-ins."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
    clients.forget()


@pytest.fixture(scope="package")
def aws(
    environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalAws]:
    with local_aws.start(tmp_path_factory.mktemp("aws")) as server:
        provision(server)
        for name, value in server.environment().items():
            environment.setenv(name, value)
        clients.forget()
        yield server


@pytest.fixture(scope="package")
def vaults(
    environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalVaults]:
    with local_vaults.start(tmp_path_factory.mktemp("vaults") / "log") as server:
        for name in VAULTS:
            server.create(name)
        for name, value in server.environment().items():
            environment.setenv(name, value)
        clients.forget()
        yield server


@pytest.fixture
def lead_to(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Lead the clients to another endpoint for one test."""

    def lead(endpoint: str) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        clients.forget()

    yield lead
    clients.forget()


@pytest.fixture
def publish(aws: LocalAws, tmp_path: Path) -> Publish:
    """Put bytes under a new key of the results bucket."""

    def put(content: bytes) -> Stored:
        path = tmp_path / uuid.uuid4().hex
        path.write_bytes(content)
        return objects.publish(path, results(f"results/{path.name}/1/a.vcf.gz"))

    return put
