"""What keeps a stand-in out of production."""

import pytest
from pytest_django import Settings

from dev import fake_globus
from gas.globus.checks import only_the_real_globus


def faults(settings: Settings, **changed: object) -> set[str | None]:
    """Return the ids of what a production site with a client is told, after these changes."""
    production: dict[str, object] = {
        "PRODUCTION": True,
        "GLOBUS_AUTH_URL": "https://auth.globus.org",
        "GLOBUS_CLIENT_ID": "c",
        "GLOBUS_CLIENT_SECRET": "s",
    }
    for name, value in (production | changed).items():
        setattr(settings, name, value)
    return {message.id for message in only_the_real_globus(None) if message.is_serious()}


def test_production_with_the_real_globus_and_a_client_is_in_order(settings: Settings) -> None:
    assert faults(settings) == set()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8001",
        "http://auth.globus.org",
        "https://auth.globus.org.example.org",
        "https://auth.globus.org:8443",
        "https://auth.globus.org@example.org",
    ],
)
def test_production_refuses_any_other_address(settings: Settings, url: str) -> None:
    assert faults(settings, GLOBUS_AUTH_URL=url) == {"gas.globus.E001"}


def test_a_client_needs_an_id_and_a_secret(settings: Settings) -> None:
    missing = faults(settings, GLOBUS_CLIENT_ID="", GLOBUS_CLIENT_SECRET="")
    assert missing == {"gas.globus.E002", "gas.globus.E003"}
    assert faults(settings, PRODUCTION=False, GLOBUS_CLIENT_SECRET="") == {"gas.globus.E003"}


def test_a_laptop_may_sign_in_at_a_stand_in(settings: Settings) -> None:
    assert faults(settings, PRODUCTION=False, GLOBUS_AUTH_URL="http://127.0.0.1:8001") == set()


def test_the_defaults_of_a_laptop_are_those_of_the_stand_in(settings: Settings) -> None:
    staff = next(each for each in fake_globus.PERSONAS if each.name == "Staff operator")
    assert settings.GLOBUS_CLIENT_ID == fake_globus.CLIENT_ID
    assert settings.GLOBUS_CLIENT_SECRET == fake_globus.CLIENT_SECRET
    assert [staff.sub] == settings.STAFF_IDENTITIES
