"""The whole stack on a local AWS, for each module that asks for it."""

from collections.abc import Iterator

import pytest

from dev import local_aws
from tests.deploy.cloud import SERVICE, Cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local AWS that enforces IAM, with the templates in a bucket."""
    with local_aws.start(tmp_path_factory.mktemp("cloud")) as aws:
        made = Cloud(aws)
        made.prepare()
        yield made


@pytest.fixture(scope="module")
def outputs(cloud: Cloud) -> dict[str, str]:
    """What the deployed stack tells an operator."""
    return cloud.deploy(SERVICE, AlarmMail="operators@example.org", Vault="old-vault")
