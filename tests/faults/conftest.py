"""A local AWS behind a proxy that fails as it is told."""

from collections.abc import Iterator

import pytest

from dev import local_aws
from dev.faults.proxy import Proxy
from dev.local_aws import LocalAws
from gas.storage import clients


@pytest.fixture(scope="package")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS."""
    with local_aws.start(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture(scope="package")
def proxy(aws: LocalAws) -> Iterator[Proxy]:
    """The proxy before it."""
    with Proxy(aws.port) as running:
        yield running


@pytest.fixture
def over_proxy(proxy: Proxy, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Lead every client of this process over the proxy."""
    for name, value in {**aws.environment(), "AWS_ENDPOINT_URL": proxy.endpoint}.items():
        monkeypatch.setenv(name, value)
    clients.forget()
    yield proxy
    clients.forget()
