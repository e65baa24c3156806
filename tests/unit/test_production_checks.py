"""A production site must not run on what a laptop has."""

import pytest
from django.conf import settings
from django.core.checks import registry, run_checks
from pytest_django import Settings

from gas.checks import production_surroundings


def use(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name another kind of database in the settings; nobody connects to it."""
    name = f"django.db.backends.{engine}"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", name)


@pytest.fixture
def production(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site with everything it needs."""
    settings.PRODUCTION = True
    use("postgresql", monkeypatch)
    settings.DEFAULT_FROM_EMAIL = "GAS <no-reply@gas.example.com>"
    settings.ADMINS = [("GAS staff", "operators@gas.example.com")]
    monkeypatch.setenv("GAS_AWS_ACCOUNT", "123456789012")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return settings


def found() -> list[str]:
    return [str(message.id) for message in production_surroundings(None)]


def test_a_site_with_everything_it_needs_passes(
    production: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found() == []
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://vpce.example.com")
    assert found() == []


def test_commands_on_a_machine_of_workers_ask_for_no_keys_of_the_site(production: Settings) -> None:
    production.GLOBUS_CLIENT_ID = production.GLOBUS_CLIENT_SECRET = ""
    production.STRIPE_KEY = production.STRIPE_WEBHOOK_SECRET = production.STRIPE_PRICE = ""
    production.SANDBOX = "required"
    missing = {"gas.globus.E002", "gas.billing.E002"}
    assert {message.id for message in run_checks()} & missing == set()
    assert missing <= {message.id for message in run_checks(include_deployment_checks=True)}


def test_the_database_of_a_laptop_is_refused(
    production: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("sqlite3", monkeypatch)
    assert found() == ["gas.E001"]


def test_a_local_aws_is_refused(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert found() == ["gas.E002"]


def test_an_account_that_nobody_named_is_refused(
    production: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GAS_AWS_ACCOUNT")
    assert found() == ["gas.E003"]


def test_a_sender_that_nobody_named_is_refused(production: Settings) -> None:
    production.DEFAULT_FROM_EMAIL = "GAS <no-reply@example.org>"
    assert found() == ["gas.E004"]


def test_a_laptop_needs_none_of_it(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    production.PRODUCTION = False
    use("sqlite3", monkeypatch)
    assert found() == []


def test_the_site_runs_the_check() -> None:
    assert production_surroundings in registry.registry.get_checks()
