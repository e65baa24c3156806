"""How often somebody may ask: counted in rows, told in headers, refused with a time to wait."""

import time

import pytest
from django.test import Client
from pytest_django import Settings

from gas.models import Allowance, Plan, Scope, User
from gas.models.requests import UNUSED, WINDOW
from gas.services import allowances
from tests.unit.api.calls import ROOT
from tests.unit.api.conftest import bearing, program_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_a_minute(owner: User) -> None:
    Plan.objects.update(requests_per_minute=3)


def left(client: Client, path: str = "/bundles") -> str:
    return str(client.get(f"{ROOT}{path}").headers["RateLimit-Remaining"])


def later(seconds: float) -> None:
    """Let the time pass: all that was taken comes back so much earlier."""
    for row in Allowance.objects.all():
        Allowance.objects.filter(pk=row.pk).update(spent_until=row.spent_until - seconds)


def test_what_is_left_goes_down_and_then_there_is_nothing(
    program: Client, three_a_minute: None
) -> None:
    assert [left(program) for _ in range(3)] == ["2", "1", "0"]
    answer = program.get(f"{ROOT}/bundles")
    assert answer.status_code == 429
    assert answer.json()["type"].endswith("#rate-limited")
    assert answer.headers["Retry-After"] == "20"
    assert answer.headers["RateLimit-Limit"] == "3"
    assert answer.headers["RateLimit-Remaining"] == "0"


def test_waiting_as_long_as_is_told_brings_one_back_and_a_minute_all(
    program: Client, three_a_minute: None
) -> None:
    for _ in range(3):
        left(program)
    later(float(program.get(f"{ROOT}/bundles").headers["Retry-After"]))
    assert left(program) == "0"
    assert program.get(f"{ROOT}/bundles").status_code == 429
    later(WINDOW)
    assert left(program) == "2"


def test_a_refused_request_takes_nothing(program: Client, three_a_minute: None) -> None:
    for _ in range(20):
        program.get(f"{ROOT}/bundles")
    later(WINDOW / 3)
    assert program.get(f"{ROOT}/bundles").status_code == 200


def test_all_tokens_of_an_account_share_and_others_do_not(
    program: Client, intruder: Client, owner: User, three_a_minute: None
) -> None:
    assert [left(program), left(program_of(owner, Scope.READ))] == ["2", "1"]
    assert left(intruder) == "2"


def test_a_request_that_is_refused_for_its_scope_counts(owner: User, three_a_minute: None) -> None:
    reader = program_of(owner, Scope.READ)
    assert [left(reader, "/me") for _ in range(2)] == ["2", "1"]


def test_premium_may_ask_more_often(subscriber: User) -> None:
    answer = program_of(subscriber).get(f"{ROOT}/bundles")
    assert answer.headers["RateLimit-Limit"] == "600"


def test_an_address_that_guesses_tokens_is_held_up_and_living_tokens_from_there_are_not(
    program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "FAILED_TRIES", 2)
    guesses = [bearing(f"gas_{n}").get(f"{ROOT}/me") for n in range(4)]
    assert [answer.status_code for answer in guesses] == [401, 401, 429, 429]
    assert guesses[-1].headers["Retry-After"] == "30"
    assert program.get(f"{ROOT}/me").status_code == 200


def test_an_address_is_what_our_own_proxy_saw_and_never_what_is_claimed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "FAILED_TRIES", 1)

    def tries(*claims: str) -> list[int]:
        Allowance.objects.all().delete()
        answers = [Client().get(f"{ROOT}/me", headers={"X-Forwarded-For": c}) for c in claims]
        return [answer.status_code for answer in answers]

    settings.PROXIES = 0  # nobody adds anything: all of it is claimed
    assert tries("10.0.0.1", "10.0.0.2") == [401, 429]
    settings.PROXIES = 1
    assert tries("10.0.0.1, 192.0.2.1", "10.0.0.2, 192.0.2.1") == [401, 429]
    assert tries("10.0.0.1, 192.0.2.1", "10.0.0.1, 192.0.2.2") == [401, 401]
    assert tries("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1") == [401, 429, 401]
    assert tries("192.0.2.1", "::ffff:192.0.2.1") == [401, 429]
    assert tries("junk", "") == [401, 429]


def test_no_address_is_kept(client: Client) -> None:
    client.get(f"{ROOT}/me", REMOTE_ADDR="192.0.2.77")
    (row,) = Allowance.objects.all()
    assert row.pk.startswith("sender ")
    assert "192.0.2" not in row.pk


def test_allowances_that_are_long_unused_are_forgotten(program: Client, client: Client) -> None:
    client.get(f"{ROOT}/me", REMOTE_ADDR="192.0.2.77")
    assert Allowance.forget() == 0
    later(UNUSED + WINDOW + 1)
    program.get(f"{ROOT}/me")
    assert Allowance.forget() == 1
    assert Allowance.objects.get().pk.startswith("account ")


def test_a_whole_minute_is_told_by_the_clock_of_the_database() -> None:
    taken = Allowance.take("somebody", per_minute=60)
    assert (taken.limit, taken.remaining, taken.reset) == (60, 59, 1)
    assert abs(Allowance.objects.get().spent_until - time.time() - 1) < 30
