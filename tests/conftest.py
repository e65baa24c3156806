"""The cast of every test: an owner, a subscriber and a stranger."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import override_settings

from gas import unchangeable
from gas.models import Plan, User


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each test process has its own test database; SQLite's is a file, as the site's is."""
    if connection.vendor == "sqlite":
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(file)


@pytest.fixture(scope="session", autouse=True)
def unguarded_flush() -> Iterator[None]:
    """What empties the tables after a test empties the logs too, which nobody else may."""
    operations = type(connection.ops)  # of every connection: each thread has its own
    plain = operations.sql_flush
    guards = unchangeable.guards("sqlite", set(unchangeable.STAYS))

    def flush(*args: Any, **kwargs: Any) -> list[str]:
        dropped = [f"DROP TRIGGER IF EXISTS {name}" for name in guards]
        return [*dropped, *plain(*args, **kwargs), *guards.values()]

    with pytest.MonkeyPatch.context() as patch:
        if connection.vendor == "sqlite":  # PostgreSQL truncates, which no guard is asked about
            patch.setattr(operations, "sql_flush", flush)
        yield


@pytest.fixture(scope="session", autouse=True)
def plain_static_files() -> Iterator[None]:
    """Pages are rendered without a collected, hashed copy of the static files."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    storages = {**settings.STORAGES, "staticfiles": plain}
    with override_settings(STORAGES=storages, WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture
def plans(transactional_db: None) -> None:
    """The rows that migrations made, and that the flush after a transactional test takes away."""
    if not Plan.objects.exists():
        import_module("gas.migrations.0002_plans").add_plans(apps, None)
        import_module("gas.migrations.0004_turns").widen_premium(apps, None)
        import_module("gas.migrations.0013_staff").limit_a_day(apps, None)
        import_module("gas.migrations.0014_requests").quicken_premium(apps, None)


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches the database, directly or through a fixture, to run it on both."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}:
            item.add_marker("database")
