"""Every operation called with all that its document allows, and with much that it does not.

The requests go through the whole WSGI application to the database; S3 and payments are in memory.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.openapi.checks import JsonSchemaError, UndefinedStatusCode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gas.api import document
from gas.models import Plan, Scope, User, WebhookEvent
from gas.services import allowances, api_tokens, webhooks
from tests.stage import Shelf
from tests.unit.api.calls import Owned
from tests.unit.api.conftest import DAY

Operation = APIOperation[Any, Any, Any, Any]
Call = Case[Any]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]

#: Operations about rows that are in no state for them.
ALWAYS_REFUSED = {"open_portal", "complete_upload", "cancel_job", "create_job"}

#: Calls of one operation, some as the document allows, some as it does not.
MOST = 6


def operations_of(described: dict[str, Any]) -> dict[str, Operation]:
    """What Schemathesis makes of a document, by the names of the operations."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(described)))
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    return {each.definition.raw["operationId"]: each for each in found}


OPERATIONS = operations_of(document.described())


class Asked:
    """Calls operations, mostly about rows of the owner, and holds answers to the document."""

    def __init__(self, owner: User, shelf: Shelf) -> None:
        Plan.objects.update(requests_per_minute=1_000_000)
        owned = Owned(owner, shelf)
        made = webhooks.add(
            user=owner, url="https://hooks.example.org/", events=[WebhookEvent.FAILED]
        )
        delivery = made.webhook.deliveries.create(event=WebhookEvent.FAILED, wake_at=None)
        self.rows: dict[str, object] = {
            "job_id": owned.names["job"],
            "upload_id": str(owned.names["upload"]),
            "token_id": owned.names["token"],
            "webhook_id": made.webhook.pk,
            "delivery_id": str(delivery.message_id),
            "name": "demo-grch38",
            "row": 0,
            "kind": "vcf",
        }
        scopes = list(Scope)
        self.secret = api_tokens.issue(user=owner, name="b", scopes=scopes, lifetime=DAY).secret
        self.site = WSGIHandler()

    def check(self, case: Call, secret: str) -> int:
        """Make one call, hold its answer to the document, and undo what it did."""
        if crc32(repr((case.path_parameters, case.query, case.body)).encode()) % 4:
            for name in case.path_parameters:
                case.path_parameters[name] = self.rows[name]
        with transaction.atomic():
            answer = case.call(headers={"Authorization": f"Bearer {secret}"}, app=self.site)
            transaction.set_rollback(True)
        case.validate_response(answer, checks=CHECKS, transport_kwargs={"app": self.site})
        return int(answer.status_code)


@pytest.fixture
def asked(
    owner: User,
    shelf: Shelf,
    sent: list[int],
    billing: object,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Asked]:
    monkeypatch.setattr(allowances, "FAILED_TRIES", 1_000_000)
    around = (request_started, request_finished)
    for signal in around:  # the transaction of the test outlives a request
        signal.disconnect(close_old_connections)
    yield Asked(owner, shelf)
    for signal in around:
        signal.connect(close_old_connections)


def each_call(operation: Operation, check: Callable[[Call], object], *, most: int = MOST) -> None:
    """Check an operation with its examples and with calls that are made up, the same each time."""
    made_up = one_of([operation.as_strategy(mode) for mode in GenerationMode])
    bounded = settings(
        max_examples=most,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for calls in [*operation.get_strategies_from_examples()[:2], made_up]:

        @bounded
        @given(case=calls)
        def run(case: Call) -> None:
            check(case)

        run()


def plain(operation: Operation, rows: dict[str, object]) -> Call:
    """The call without any choice, about rows that are there."""
    parameters = operation.definition.raw.get("parameters", ())
    in_path = [each["name"] for each in parameters if each["in"] == "path"]
    return operation.Case(path_parameters={name: rows[name] for name in in_path})


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_as_the_document_says(name: str, asked: Asked) -> None:
    seen: Counter[int] = Counter()

    def check(case: Call) -> None:
        seen[asked.check(case, asked.secret)] += 1

    each_call(OPERATIONS[name], check)
    if "requestBody" not in OPERATIONS[name].definition.raw:
        check(plain(OPERATIONS[name], asked.rows))
    assert any(status < 400 for status in seen) or name in ALWAYS_REFUSED, seen


def test_without_a_token_every_operation_tells_nothing_but_that(asked: Asked) -> None:
    for operation in OPERATIONS.values():
        each_call(operation, lambda case: refused(asked.check(case, "gas_nobody")), most=1)


def refused(status: int) -> None:
    assert status in (400, 401)


@pytest.mark.parametrize(
    ("name", "lie", "found"),
    [
        ("get_me", {"account": {"type": "integer"}}, JsonSchemaError),
        ("list_tokens", {"items": {"type": "string"}}, JsonSchemaError),
    ],
)
def test_a_document_that_lies_about_an_answer_is_found_out(
    asked: Asked, name: str, lie: dict[str, Any], found: type[Exception]
) -> None:
    told = deepcopy(document.described())
    schemas = told["components"]["schemas"]
    schemas[{"get_me": "Me", "list_tokens": "TokenList"}[name]]["properties"] |= lie
    with pytest.raises(FailureGroup) as failure:
        each_call(operations_of(told)[name], lambda case: asked.check(case, asked.secret), most=1)
    assert failure.group_contains(found)


def test_a_status_that_the_document_does_not_name_is_found_out(asked: Asked) -> None:
    told = deepcopy(document.described())
    del told["paths"]["/api/v1/me"]["get"]["responses"]["200"]
    with pytest.raises(FailureGroup) as failure:
        each_call(
            operations_of(told)["get_me"], lambda case: asked.check(case, asked.secret), most=1
        )
    assert failure.group_contains(UndefinedStatusCode)
