"""Who may ask what, for every operation of the API; a new one without a row fails."""

import json

import pytest
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from gas import problems
from gas.api import document
from gas.models import ApiToken, Scope, User
from gas.services import allowances
from tests.stage import Shelf
from tests.unit.api.calls import CALLS, ROOT, Owned, body_of
from tests.unit.api.conftest import DAY, bearing, program_of
from tests.unit.views.conftest import signed_in

pytestmark = pytest.mark.django_db

OWNERS = [name for name, call in CALLS.items() if call.names_a_row] + ["create_job"]


@pytest.fixture
def owned(owner: User, shelf: Shelf) -> Owned:
    return Owned(owner, shelf)


def test_every_operation_has_a_row_and_needs_the_scope_that_the_document_names() -> None:
    described = {
        operation["operationId"]: (method, operation["security"][0]["Bearer"])
        for methods in document.described()["paths"].values()
        for method, operation in methods.items()
    }
    rows = {name: (call.method, [call.scope] if call.scope else []) for name, call in CALLS.items()}
    assert {name: described.get(name) for name in rows} == rows
    webhooks = {name for name in described if "webhook" in name}  # with a table of their own
    assert set(described) - webhooks == set(rows)


@pytest.mark.parametrize("name", CALLS)
def test_the_owner_is_served_in_six_questions(
    name: str,
    owned: Owned,
    owner: User,
    sent: list[int],
    billing: object,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    call = CALLS[name]
    needed = [call.scope] if call.scope else [Scope.READ]
    program = program_of(owner, *needed)
    reads = call.method == "get"
    with django_assert_max_num_queries(6 if reads else 40):
        answer = owned.ask(program, call)
    assert answer.status_code == call.status
    assert answer.headers["RateLimit-Limit"] == "120"


def test_only_living_tokens_of_open_accounts_open_anything_and_all_others_are_answered_alike(
    owned: Owned, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "FAILED_TRIES", 10_000)
    dead = [program_of(owner) for _ in range(3)]
    revoked, over, _ = ApiToken.objects.filter(name="a program").order_by("pk")
    ApiToken.objects.filter(pk=revoked.pk).update(revoked_at=Now())
    ApiToken.objects.filter(pk=over.pk).update(created_at=Now() - 2 * DAY, expires_at=Now() - DAY)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    strangers = [Client(), signed_in(owner), bearing("gas_nobody")]
    answers = [owned.ask(client, call) for client in [*dead, *strangers] for call in CALLS.values()]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer realm="GAS"'}
    ids = [str(answer.headers["X-Request-ID"]).encode() for answer in answers]
    told = {body_of(answer).replace(own, b"") for answer, own in zip(answers, ids, strict=True)}
    assert len(told) == 1


def test_a_token_without_the_scope_is_told_which_it_lacks(owned: Owned, owner: User) -> None:
    for call in CALLS.values():
        if call.scope:
            others = [scope for scope in Scope if scope is not call.scope]
            answer = owned.ask(program_of(owner, *others), call)
            assert answer.status_code == 403
            told = json.loads(body_of(answer))
            assert (told["type"], told["scope"]) == (problems.MISSING_SCOPE.address, call.scope)
            assert f'scope="{call.scope}"' in answer.headers["WWW-Authenticate"]
            ApiToken.objects.filter(name="a program").delete()


def test_rows_of_others_do_not_exist(owned: Owned, intruder: Client) -> None:
    for name in OWNERS:
        answer = owned.ask(intruder, CALLS[name])
        assert (name, answer.status_code) == (name, 404)
        assert json.loads(body_of(answer))["type"] == problems.NOT_FOUND.address


def test_nobody_needs_a_token_for_the_document(client: Client) -> None:
    answer = client.get(f"{ROOT}/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == document.described()
    assert client.head(f"{ROOT}/openapi.json").status_code == 200


def test_a_site_that_a_browser_is_signed_in_to_cannot_be_used_through_the_api(owner: User) -> None:
    browser = signed_in(owner)
    assert browser.post(f"{ROOT}/jobs", {"example": True}, "application/json").status_code == 401
