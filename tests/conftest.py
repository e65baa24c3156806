"""The cast of every test: an owner, a subscriber and a stranger."""

import pytest
from pytest_django import Settings

from gas.models import Plan, User


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Pages are rendered without a collected, hashed copy of the static files."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def owner(db: None) -> User:
    """A researcher on the free plan."""
    return User.objects.create_user("owner", "owner@example.org")


@pytest.fixture
def subscriber(db: None) -> User:
    """A researcher on the premium plan."""
    return User.objects.create_user("subscriber", "subscriber@example.org", plan_id=Plan.PREMIUM)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody who owns nothing that the tests look at."""
    return User.objects.create_user("stranger", "stranger@example.org")
