"""How real: the whole client; the service, the storage and the waits are ours."""

from pathlib import Path

import pytest

from gas_client import Client
from gas_client.cli.main import run
from gas_client.cli.session import Means
from gas_client.patience import Patience
from gas_client.profiles import Profile, Profiles
from tests.unit.client.service import ADDRESS, TOKEN, Service
from tests.unit.client.terminal import Gas


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of somebody who has never used the client."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("GAS_TOKEN", "GAS_URL", "GAS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that the client waited, without waiting them."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    return Patience(sleep=waits.append, chance=lambda: 0.0)


@pytest.fixture
def client(service: Service, patience: Patience) -> Client:
    return Client(ADDRESS, TOKEN, transport=service, patience=patience)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of five parts, the last one shorter."""
    path = tmp_path / "trio.vcf"
    path.write_bytes(bytes(range(256)) * 17)
    return path


@pytest.fixture
def gas(service: Service, patience: Patience, capfd: pytest.CaptureFixture[str]) -> Gas:
    """Run the command; returns its exit code, its output, and what it told besides."""

    def ran(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments, means=Means(service, patience))
        told = capfd.readouterr()
        assert TOKEN not in told.out + told.err
        assert "Traceback" not in told.err
        return code, told.out, told.err

    return ran


@pytest.fixture
def signed_in() -> None:
    Profiles().keep("default", Profile(ADDRESS, TOKEN))
