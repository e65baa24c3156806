"""The document of the API as a page for people: what can be asked, how, and what comes back."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gas.api.document import REFERENCE, described

#: Values for the paths of examples, where a schema has none of its own.
_SAMPLES = {
    "name": "demo-grch38",
    "uuid": "0b7e6d0e-6a55-4c8e-9d0f-3f7a3c1b2a10",
    "row": "0",
    "integer": "12",
}
_REPEATED = {"If-None-Match"}  # told once, above all operations


@dataclass(frozen=True)
class Kind:
    """How a value is written: words, and the schema that they lead to if there is one."""

    words: str
    schema: str = ""


@dataclass(frozen=True)
class Field:
    """A field of a schema, or a parameter."""

    name: str
    kind: Kind
    what: str
    is_required: bool
    place: str = ""


@dataclass(frozen=True)
class Answer:
    """What may come back, by status."""

    status: str
    what: str
    kind: Kind
    problems: tuple[tuple[str, str], ...]  # name and title of each


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    name: str
    method: str
    path: str
    title: str
    what: str
    scope: str
    fields: tuple[Field, ...]
    takes: Kind | None
    answers: tuple[Answer, ...]
    command: str
    example: str


@dataclass(frozen=True)
class Group:
    """Operations about one thing."""

    name: str
    what: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Schema:
    """What is sent or given as JSON."""

    name: str
    what: str
    fields: tuple[Field, ...]
    example: str


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show every operation and every schema."""
    groups, schemas, site = _told()
    context = {"groups": groups, "schemas": schemas, "site": site}
    return render(request, "help/api.html", context)


@cache
def _told() -> tuple[tuple[Group, ...], tuple[Schema, ...], str]:
    found = described()
    listed = {f"{REFERENCE}{name}": each for name, each in found["components"]["schemas"].items()}
    document = _in_place(found, {at: each for at, each in listed.items() if "enum" in each})
    site = document["servers"][0]["url"]
    schemas = document["components"]["schemas"]
    operations = [
        (operation["tags"][0], _operation(site, method, path, operation, schemas))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups = tuple(
        Group(
            tag["name"],
            tag["description"],
            tuple(op for name, op in operations if name == tag["name"]),
        )
        for tag in document["tags"]
    )
    shown = tuple(
        _schema(name, schemas[name]) for name in sorted(schemas) if _has_fields(schemas[name])
    )
    return groups, shown, site


def _in_place(told: Any, choices: Mapping[str, Any]) -> Any:
    """Put choices where they are named: values are told best in their place."""
    if isinstance(told, dict):
        if told.get("$ref") in choices:
            return choices[told["$ref"]]
        return {name: _in_place(each, choices) for name, each in told.items()}
    return [_in_place(each, choices) for each in told] if isinstance(told, list) else told


def _has_fields(schema: Mapping[str, Any]) -> bool:
    return "properties" in schema


def _operation(
    site: str,
    method: str,
    path: str,
    operation: Mapping[str, Any],
    schemas: Mapping[str, Any],
) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    takes = kind_of(body["schema"]) if body else None
    what, _, _ = operation["description"].rpartition("\n\n")
    answers = tuple(_answer(*each) for each in operation["responses"].items())
    good = next((each for each in answers if each.status.startswith("2")), None)
    return Operation(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        title=operation["summary"],
        what=what,
        scope="".join(operation["security"][0]["Bearer"]),
        fields=tuple(_parameter(each) for each in operation["parameters"] if _is_own(each)),
        takes=takes,
        answers=answers,
        command=_command(site, method, path, operation, _example_of(takes, schemas)),
        example=_pretty(_example_of(good.kind if good else None, schemas)),
    )


def _is_own(parameter: Mapping[str, Any]) -> bool:
    return parameter["name"] not in _REPEATED


def _parameter(told: Mapping[str, Any]) -> Field:
    what = told.get("description") or told["schema"].get("description", "")
    kind = kind_of(told["schema"])
    return Field(told["name"], kind, what, bool(told.get("required")), told["in"])


def _answer(status: str, told: Mapping[str, Any]) -> Answer:
    ((media, content),) = list(told.get("content", {}).items())[:1] or [("", {})]
    problems = tuple(
        (name, each["value"]["title"]) for name, each in content.get("examples", {}).items()
    )
    kind = Kind(media) if "json" not in media else kind_of(content.get("schema", {}))
    return Answer(status, told["description"], kind, problems)


def _schema(name: str, told: Mapping[str, Any]) -> Schema:
    required = told.get("required", [])
    fields = tuple(
        Field(field, kind_of(each), each.get("description", ""), field in required)
        for field, each in told["properties"].items()
    )
    return Schema(name, told.get("description", ""), fields, _pretty(_first_example(told)))


def kind_of(schema: Mapping[str, Any]) -> Kind:
    """Say in words how a value is written."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return Kind(name, name)
    for either in ("anyOf", "oneOf", "allOf"):
        if choices := schema.get(either):
            kinds = [kind_of(each) for each in choices]
            linked = next((each.schema for each in kinds if each.schema), "")
            return Kind(" or ".join(dict.fromkeys(each.words for each in kinds)), linked)
    if values := schema.get("enum"):
        return Kind(", ".join(map(str, values)))
    if schema.get("type") == "array":
        inner = kind_of(schema.get("items", {}))
        return Kind(f"list of {inner.words}", inner.schema)
    return Kind(_plain(schema))


def _plain(schema: Mapping[str, Any]) -> str:
    words = str(schema.get("format") or schema.get("type") or "anything")
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None and most < 10**9:
        return f"{words} from {least} to {most}"
    longest = schema.get("maxLength")
    return f"{words}, at most {longest} letters" if longest else words


def _first_example(schema: Mapping[str, Any]) -> Any:
    return next(iter(schema.get("examples", [])), None)


def _example_of(kind: Kind | None, schemas: Mapping[str, Any]) -> Any:
    return _first_example(schemas[kind.schema]) if kind and kind.schema in schemas else None


def _pretty(example: Any) -> str:
    return "" if example is None else json.dumps(example, indent=2, ensure_ascii=False)


def _command(site: str, method: str, path: str, operation: Mapping[str, Any], body: Any) -> str:
    """A line for a shell in which `GAS_TOKEN` is set."""
    lines = [f'curl "{site}{_sampled(path, operation["parameters"])}"']
    if method != "get":
        lines[0] = f'curl -X {method.upper()} "{site}{_sampled(path, operation["parameters"])}"'
    lines.append('-H "Authorization: Bearer $GAS_TOKEN"')
    if body is not None:
        quoted = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
        lines += ['-H "Content-Type: application/json"', f"-d '{quoted}'"]
    return " \\\n  ".join(lines)


def _sampled(path: str, parameters: Iterable[Mapping[str, Any]]) -> str:
    schemas = {each["name"]: each["schema"] for each in parameters if each["in"] == "path"}

    def sample(found: re.Match[str]) -> str:
        schema = schemas[found[1]]
        if values := schema.get("enum"):
            return str(values[0])
        words = (found[1], str(schema.get("format")), str(schema.get("type")))
        return next(_SAMPLES[word] for word in words if word in _SAMPLES)

    return re.sub(r"\{(\w+)\}", sample, path)
