"""What a machine makes of its secrets: files that systemd and libpq read, for one user alone."""

import json
import stat
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gas import secret_store
from gas.secret_store import ENVIRONMENT, SERVICE, SecretUnavailable

DATABASE = {"username": "gas", "password": "pass = word# 'x'", "port": 5432, "engine": "postgres"}
Start = Callable[..., int]


class Kept:
    """Secrets in memory; one that is not there cannot be read now."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def keep(self, name: str, what: Mapping[str, object]) -> None:
        self.secrets[name] = json.dumps(what)

    def read(self, secret: str) -> str:
        if secret not in self.secrets:
            raise SecretUnavailable(f"the secret {secret} is refused: AccessDenied")
        return self.secrets[secret]


@pytest.fixture
def kept() -> Kept:
    """A store with what both secrets hold on a good day."""
    store = Kept()
    store.keep("gas/settings", {"GAS_SECRET_KEY": "a-key", "GAS_STRIPE_KEY": "sk"})
    store.keep("gas/database", DATABASE)
    return store


@pytest.fixture
def start(tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Run the program as a unit does."""
    monkeypatch.setenv("GAS_SECRETS", "gas/settings")
    monkeypatch.setenv("GAS_DATABASE_SECRET", "gas/database")
    return lambda *options: secret_store.main([str(tmp_path), *options], store=kept)


def test_variables_and_password_lie_where_processes_look_for_them(
    start: Start, tmp_path: Path
) -> None:
    assert start() == 0
    assert (tmp_path / ENVIRONMENT).read_text() == 'GAS_SECRET_KEY="a-key"\nGAS_STRIPE_KEY="sk"\n'
    assert (tmp_path / SERVICE).read_text() == f"[gas]\nuser=gas\npassword={DATABASE['password']}\n"


def test_only_their_owner_reads_them_and_nothing_else_is_left(start: Start, tmp_path: Path) -> None:
    start()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {ENVIRONMENT: 0o600, SERVICE: 0o600}


def test_a_value_is_read_back_as_it_is_whatever_it_holds(
    start: Start, kept: Kept, tmp_path: Path
) -> None:
    odd = """ "quoted" 'and' $HOME `id` \\ back\\\\slash # no; comment é """
    kept.keep("gas/settings", {"GAS_SECRET_KEY": odd})
    assert start() == 0
    told = f'. "{tmp_path / ENVIRONMENT}"; printf %s "$GAS_SECRET_KEY"'  # quoted as systemd has it
    read = subprocess.run(["/bin/bash", "-c", told], capture_output=True, text=True, check=True)
    assert read.stdout == odd


def test_of_a_path_the_secret_holds_the_file(start: Start, kept: Kept, tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMC4\n-----END PRIVATE KEY-----\n"
    kept.keep("gas/settings", {"GAS_PROVENANCE_KEY": pem})
    assert start() == 0
    file = tmp_path / "gas_provenance_key"
    assert (tmp_path / ENVIRONMENT).read_text() == f'GAS_PROVENANCE_KEY="{file}"\n'
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (pem, 0o600)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LD_PRELOAD", "/tmp/x.so"),
        ("PATH", "/tmp"),
        ("AWS_SECRET_ACCESS_KEY", "static"),
        ("GAS_SECRET_KEY", "two\nGAS_MODE=local"),
        ("GAS_SECRET_KEY", 17),
        ("GAS_X\nY", "1"),
    ],
)
def test_what_no_variable_of_ours_may_be_is_refused_and_not_told(
    start: Start,
    kept: Kept,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: object,
) -> None:
    kept.keep("gas/settings", {name: value})
    assert start() == 1
    assert not (tmp_path / ENVIRONMENT).exists()
    assert "static" not in caplog.text
    assert "GAS_MODE" not in caplog.text


def test_of_several_secrets_each_adds_its_variables_and_the_last_has_the_word(
    start: Start, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.keep("gas/site", {"GAS_STRIPE_KEY": "sk of the site", "GAS_STRIPE_PRICE": "price"})
    monkeypatch.setenv("GAS_SECRETS", "gas/settings,gas/site")
    assert start() == 0
    assert (tmp_path / ENVIRONMENT).read_text() == (
        'GAS_SECRET_KEY="a-key"\nGAS_STRIPE_KEY="sk of the site"\nGAS_STRIPE_PRICE="price"\n'
    )


def test_where_one_of_several_is_away_a_process_keeps_all_that_it_had(
    start: Start, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAS_SECRETS", "gas/settings,gas/site")
    assert start() == 1
    assert not (tmp_path / ENVIRONMENT).exists()
    kept.keep("gas/site", {"GAS_STRIPE_KEY": "sk of the site"})
    assert start() == 0
    del kept.secrets["gas/site"]
    assert start() == 0
    assert "sk of the site" in (tmp_path / ENVIRONMENT).read_text()


def test_a_variable_of_a_newer_release_may_be_there_before_it(start: Start, kept: Kept) -> None:
    kept.keep("gas/settings", {"GAS_OF_TOMORROW": "1"})
    assert start() == 0


@pytest.mark.parametrize(
    "secret",
    [
        {"username": "gas"},
        {"username": "gas", "password": ""},
        {"username": "gas", "password": "x\nhost=elsewhere.example.org"},
        {"username": "gas", "password": " blank "},
    ],
    ids=["none", "empty", "two lines", "blanks"],
)
def test_a_password_that_libpq_would_read_otherwise_is_refused(
    start: Start, kept: Kept, tmp_path: Path, secret: Mapping[str, object]
) -> None:
    kept.keep("gas/database", secret)
    assert start() == 1
    assert not (tmp_path / SERVICE).exists()


def test_no_secret_no_start(start: Start, kept: Kept) -> None:
    kept.secrets.clear()
    assert start() == 1


def test_while_they_cannot_be_read_those_of_before_stay_good(
    start: Start, kept: Kept, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start()
    kept.secrets.clear()
    assert start() == 0
    assert "gas/database is refused: AccessDenied" in caplog.text
    assert (tmp_path / SERVICE).read_text().startswith("[gas]")


def test_the_look_of_every_minute_asks_for_the_password_alone(
    start: Start, kept: Kept, tmp_path: Path
) -> None:
    start()
    kept.keep("gas/settings", {"GAS_SECRET_KEY": "another"})
    kept.keep("gas/database", {"username": "gas_clone", "password": "new"})
    assert start("--database") == 0
    assert "a-key" in (tmp_path / ENVIRONMENT).read_text()
    assert (tmp_path / SERVICE).read_text() == "[gas]\nuser=gas_clone\npassword=new\n"


def test_a_machine_without_secrets_at_aws_needs_none(
    start: Start, kept: Kept, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GAS_SECRETS")
    monkeypatch.delenv("GAS_DATABASE_SECRET")
    kept.secrets.clear()
    assert start() == 0
    assert not list(tmp_path.iterdir())
