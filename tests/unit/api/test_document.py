"""The OpenAPI document: complete, true to its own schemas, and the same each time."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from pydantic import BaseModel

from gas import problems
from gas.api import document
from gas.api.schemas import account, base, jobs, results, uploads
from gas.problems import KINDS

DOCUMENT = document.described()
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
SCHEMAS = [
    schema
    for module in (account, base, jobs, results, uploads)
    for schema in vars(module).values()
    if isinstance(schema, type) and issubclass(schema, BaseModel)
    if schema.__module__ == module.__name__
]


def parts_of(found: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(found, dict):
        yield found
        found = list(found.values())
    if isinstance(found, list):
        for each in found:
            yield from parts_of(each)


def test_it_says_what_it_is() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["servers"] == [{"url": settings.BASE_URL}]
    assert DOCUMENT["components"]["securitySchemes"]["Bearer"]["scheme"] == "bearer"
    used = {tag for _, _, operation in OPERATIONS.values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in DOCUMENT["tags"]}


def test_every_operation_has_a_name_of_its_own_a_summary_and_a_description() -> None:
    count = sum(len(methods) for methods in DOCUMENT["paths"].values())
    assert len(OPERATIONS) == count
    for name, (_, _, operation) in OPERATIONS.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
        assert operation["summary"] == name.replace("_", " ").capitalize()
        assert len(operation["description"]) > 40
        assert not [key for key in operation if key.startswith("x-")]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_declares_the_errors_that_it_may_meet(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    expected = {"400", "401", "429", "500", "503"}
    expected |= {"403"} if operation["security"] != [{"Bearer": []}] else set()
    expected |= {"404", "422"} if "{" in path else set()
    expected |= {"413", "415", "422"} if "requestBody" in operation else set()
    assert expected <= set(operation["responses"])
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            (media,) = answer["content"]
            assert media == problems.MEDIA_TYPE
            assert answer["content"][media]["examples"]
        assert answer["description"]
    assert (method == "get") is ("304" in operation["responses"])


def test_every_kind_of_problem_is_declared_somewhere() -> None:
    outside = {problems.FORBIDDEN.name, problems.METHOD_NOT_ALLOWED.name}
    declared = {
        example
        for part in parts_of(DOCUMENT["paths"])
        for example in part.get("content", {}).get(problems.MEDIA_TYPE, {}).get("examples", {})
    }
    assert {kind.name for kind in KINDS} - outside <= declared


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
def test_every_schema_has_an_example_that_it_takes(schema: type[BaseModel]) -> None:
    examples = schema.model_json_schema()["examples"]
    assert examples
    for example in examples:
        schema.model_validate(example)
        if schema.model_config.get("extra") != "allow":
            assert set(example) <= set(schema.model_fields)
    assert schema.__doc__


def test_every_reference_leads_somewhere_and_every_parameter_is_described() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for part in parts_of(DOCUMENT):
        if "$ref" in part:
            assert part["$ref"].rpartition("/")[2] in schemas
    for _, _, operation in OPERATIONS.values():
        for parameter in operation["parameters"]:
            assert parameter["description"]
            assert {"type": "null"} not in parameter["schema"].get("anyOf", [])


def test_it_is_the_same_each_time() -> None:
    assert document.described() == DOCUMENT
