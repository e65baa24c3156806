"""Variables of the environment: read by their declaration, unknown ones named, secrets known."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from gas import env
from gas.checks import known_variables


def test_a_variable_has_its_declared_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAS_LEASE", raising=False)
    assert env.duration("GAS_LEASE").total_seconds() == 120
    monkeypatch.setenv("GAS_LEASE", "5s")
    assert env.duration("GAS_LEASE").total_seconds() == 5


def test_nothing_is_read_that_is_not_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAS_NEW", raising=False)
    with pytest.raises(ImproperlyConfigured, match="GAS_NEW is not declared"):
        env.text("GAS_NEW")


def test_a_mistyped_variable_is_named_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GAS_FREE_RETENTOIN", "1h")
    [warning] = [w for w in known_variables(None) if "RETENTOIN" in w.msg]
    assert warning.id == "gas.W001"
    assert warning.msg.endswith("did you mean GAS_FREE_RETENTION?")


def test_variables_of_others_are_not_our_concern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GASOLINE", "1")
    monkeypatch.setenv("GAS_LEASE", "5s")
    assert not [w for w in known_variables(None) if "GASOLINE" in w.msg or "GAS_LEASE" in w.msg]


def test_secret_values_are_known_and_of_an_address_the_password_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://gas:pass%20word@db.example.org:5432/gas")
    monkeypatch.setenv("GAS_PREVIOUS_SECRET_KEYS", "first-key, second-key")
    found = set(env.secret_values())
    assert {"pass word", "first-key", "second-key"} <= found
    assert not any("db.example.org" in value for value in found)
