"""Webhooks by the API: as by the pages, for programs with the scopes of the account."""

from typing import Any, get_args

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from gas import problems
from gas.api import document
from gas.api.schemas.webhooks import Chosen
from gas.models import Delivery, Scope, User, Webhook
from gas.sealing import unseal
from gas.services import webhooks
from gas.services.webhooks import CHOICES, MOST
from tests.unit.api.calls import ROOT
from tests.unit.api.conftest import program_of

pytestmark = pytest.mark.django_db

NEW: dict[str, Any] = {"url": "https://hooks.example.org/gas", "events": ["job.completed"]}
ONE = "/webhooks/{webhook}"

#: Each operation: method, path, scope, and the status of its answer to the owner.
TABLE = {
    "list_webhooks": ("get", "/webhooks", Scope.ACCOUNT, 200),
    "create_webhook": ("post", "/webhooks", Scope.ACCOUNT_WRITE, 201),
    "get_webhook": ("get", ONE, Scope.ACCOUNT, 200),
    "delete_webhook": ("delete", ONE, Scope.ACCOUNT_WRITE, 204),
    "pause_webhook": ("post", f"{ONE}/pause", Scope.ACCOUNT_WRITE, 200),
    "resume_webhook": ("post", f"{ONE}/resume", Scope.ACCOUNT_WRITE, 200),
    "rotate_webhook_secret": ("post", f"{ONE}/rotate", Scope.ACCOUNT_WRITE, 200),
    "test_webhook": ("post", f"{ONE}/test", Scope.ACCOUNT_WRITE, 202),
    "list_webhook_deliveries": ("get", f"{ONE}/deliveries", Scope.ACCOUNT, 200),
    "resend_webhook_delivery": (
        "post",
        f"{ONE}/deliveries/{{delivery}}/send",
        Scope.ACCOUNT_WRITE,
        202,
    ),
}


@pytest.fixture
def webhook(owner: User) -> Webhook:
    """A webhook of the owner, with a call that has ended."""
    made = webhooks.add(user=owner, url=NEW["url"], events=CHOICES).webhook
    made.deliveries.create(event="job.failed", job_number=7, wake_at=None)
    return made


def ask(client: Client, name: str, webhook: Webhook, **body: Any) -> Any:
    """Call an operation about a webhook."""
    method, path, _, _ = TABLE[name]
    delivery = webhook.deliveries.order_by("pk").first()
    path = path.format(webhook=webhook.pk, delivery=delivery and delivery.message_id)
    how = {} if method == "get" else {"content_type": "application/json"}
    sent = body or (NEW if name == "create_webhook" else None)
    return getattr(client, method)(ROOT + path, sent, **how)


def test_every_operation_about_webhooks_has_a_row_and_the_scope_of_the_document() -> None:
    described = {
        operation["operationId"]: (method, operation["security"][0]["Bearer"])
        for methods in document.described()["paths"].values()
        for method, operation in methods.items()
        if "webhook" in operation["operationId"]
    }
    assert described == {name: (row[0], [row[2]]) for name, row in TABLE.items()}


@pytest.mark.parametrize("name", TABLE)
def test_the_owner_is_served(
    name: str,
    owner: User,
    webhook: Webhook,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    method, _, scope, status = TABLE[name]
    program = program_of(owner, scope)
    with django_assert_max_num_queries(6 if method == "get" else 20):
        assert ask(program, name, webhook).status_code == status


@pytest.mark.parametrize("name", TABLE)
def test_nobody_else_is(name: str, owner: User, intruder: Client, webhook: Webhook) -> None:
    scope = TABLE[name][2]
    others = program_of(owner, *[each for each in Scope if each is not scope])
    assert ask(others, name, webhook).status_code == 403
    assert ask(Client(), name, webhook).status_code == 401
    if "{" in TABLE[name][1]:
        assert ask(intruder, name, webhook).status_code == 404
    assert Webhook.objects.get(pk=webhook.pk).is_active


def test_a_secret_is_in_one_answer_and_never_again(program: Client) -> None:
    made = program.post(f"{ROOT}/webhooks", NEW, "application/json").json()
    row = Webhook.objects.get()
    assert unseal(row.secret) == made["secret"]
    listed = program.get(f"{ROOT}/webhooks").json()["items"]
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]


def test_an_address_that_is_not_called_is_a_field_that_is_wrong(program: Client) -> None:
    for url in ("http://hooks.example.org/", "https://169.254.169.254/", "nonsense"):
        answer = program.post(f"{ROOT}/webhooks", NEW | {"url": url}, "application/json")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/url"


def test_one_too_many_is_a_conflict_in_words(program: Client) -> None:
    for _ in range(MOST):
        program.post(f"{ROOT}/webhooks", NEW, "application/json")
    answer = program.post(f"{ROOT}/webhooks", NEW, "application/json")
    assert answer.status_code == 409
    assert answer.json()["type"] == problems.WEBHOOK_REFUSED.address
    assert "delete one first" in answer.json()["detail"]


def test_what_can_be_chosen_is_every_event_but_a_test() -> None:
    assert set(get_args(Chosen)) == {event.value for event in CHOICES}


def test_deliveries_go_on_with_a_cursor(program: Client, webhook: Webhook) -> None:
    Delivery.objects.bulk_create(
        Delivery(webhook=webhook, event="job.failed", job_number=number) for number in range(4)
    )
    first = program.get(f"{ROOT}/webhooks/{webhook.pk}/deliveries?limit=3").json()
    assert [each["job"] for each in first["items"]] == [3, 2, 1]
    rest = program.get(
        f"{ROOT}/webhooks/{webhook.pk}/deliveries?limit=3&cursor={first['next_cursor']}"
    ).json()
    assert [each["job"] for each in rest["items"]] == [0, 7]
    assert (rest["next_cursor"], rest["items"][0]["state"]) == (None, "owed")


def test_a_changed_secret_is_told_once_with_how_long_the_one_before_is_good(
    owner: User, webhook: Webhook
) -> None:
    program = program_of(owner)
    before = unseal(webhook.secret)
    told = ask(program, "rotate_webhook_secret", webhook).json()
    webhook.refresh_from_db()
    assert [unseal(sealed) for sealed in webhook.sealed_secrets] == [told["secret"], before]
    again = ask(program, "get_webhook", webhook).json()
    assert told["old_secret_until"] == again["old_secret_until"] is not None
    assert "secret" not in again
