"""Whether a process is up, and whether it can work: for load balancers, which know no names."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from gas import health
from gas.health import Finding
from gas.views.health import LATELY

Parts = dict[str, Callable[[], bool]]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """What the site needs; the network is closed here, so that AWS is said to work."""
    parts = health.PARTS | {"queue": lambda: True, "storage": lambda: True}
    monkeypatch.setattr(health, "PARTS", parts)
    monkeypatch.setattr(health, "BOUND", 60)
    LATELY.forget()
    yield parts
    LATELY.forget()


def first_line(client: Client) -> tuple[int, str]:
    answer = client.get("/readyz")
    return answer.status_code, answer.content.decode().partition("\n")[0]


def test_health_needs_no_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert not answer.cookies


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.usefixtures("parts")
@pytest.mark.django_db
def test_a_load_balancer_asks_by_number_and_by_http(
    client: Client, settings: Settings, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["gas.example.org"]
    answer = client.get(path, headers={"Host": "10.0.3.7:8000"})
    assert answer.status_code == 200
    assert answer.content.startswith(b"ok\n")


@pytest.mark.django_db
def test_no_other_address_answers_to_a_number(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["gas.example.org"]
    for path in ("/", "/healthz/", "/healthz/x", "//healthz"):
        assert client.get(path, headers={"Host": "10.0.3.7"}).status_code == 400, path


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_takes_nothing(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_each_part_is_named_with_its_time(client: Client, parts: Parts) -> None:
    lines = client.get("/readyz").content.decode().splitlines()
    assert lines[0] == "ok"
    told = [line.split() for line in lines[1:]]
    assert [(name, state, unit) for name, state, _, unit in told] == [
        (name, "ok", "ms") for name in ("database", "migrations", "queue", "storage")
    ]


@pytest.mark.django_db
def test_ready_asks_the_database(
    client: Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OperationalError("connection to 10.1.2.3 refused for user gas")

    health.migrations_applied()
    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", fail)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.content.startswith(b"failing: database\n")
    assert b"10.1.2.3" not in answer.content


@pytest.mark.django_db
def test_ready_names_what_fails_and_nothing_else(client: Client, parts: Parts) -> None:
    parts |= {"queue": lambda: False, "storage": lambda: False}
    assert first_line(client) == (503, "failing: queue, storage")


@pytest.mark.django_db
def test_a_release_whose_migrations_are_missing_is_not_ready(
    client: Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_applied", threading.Event())
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("a migration", False)])
    assert first_line(client) == (503, "failing: migrations")


@pytest.mark.django_db
def test_a_part_that_hangs_fails_within_the_bound_and_is_not_asked_again(
    client: Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, asked = threading.Event(), []

    def hang() -> bool:
        asked.append(1)
        return released.wait(60)

    parts["hanging"] = hang
    monkeypatch.setattr(health, "BOUND", 0.2)
    try:
        for _ in range(2):
            assert "hanging" in first_line(client)[1]
            LATELY.forget()
        assert len(asked) == 1
    finally:
        released.set()


@pytest.mark.django_db
def test_strangers_who_ask_whether_the_site_is_ready_cost_little(
    client: Client, parts: Parts, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert first_line(client) == (200, "ok")
    parts["queue"] = lambda: False
    assert first_line(client) == (200, "ok")


def test_a_finding_says_how_long_it_took() -> None:
    assert str(Finding("queue", works=False, seconds=2.0004)) == "queue failing 2000 ms"
