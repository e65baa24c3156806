"""The OpenAPI 3.1 document: what ninja knows of the routes, and what holds for all of them."""

import json
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

from gas import problems
from gas.api.application import api
from gas.api.routing import MEDIA, PROBLEMS, SCOPE
from gas.api.schemas.base import ProblemDetails
from gas.problems import Kind

REFERENCE = "#/components/schemas/"

#: What any request may meet, by its method.
USUAL = (
    *(problems.MALFORMED, problems.UNAUTHORIZED, problems.RATE_LIMITED),
    *(problems.SERVER_ERROR, problems.UNAVAILABLE),
)
WITH_BODY = (problems.TOO_LARGE, problems.WRONG_MEDIA_TYPE)

_NUMBER = {"type": "integer"}

#: Headers of every answer to a living token.
ALLOWANCE = {
    "RateLimit-Limit": {"description": "Requests a minute.", "schema": _NUMBER},
    "RateLimit-Remaining": {"description": "How many are left now.", "schema": _NUMBER},
    "RateLimit-Reset": {"description": "Seconds until all are back.", "schema": _NUMBER},
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": _NUMBER}}
ETAG = {"ETag": {"description": "Names these bytes.", "schema": {"type": "string"}}}
CHALLENGE = {"WWW-Authenticate": {"description": "What is lacking.", "schema": {"type": "string"}}}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "description": "An `ETag` of before: 304 when nothing has changed.",
    "schema": {"type": "string"},
}


@cache
def document() -> bytes:
    """Return the document as JSON; it changes with a release only."""
    return json.dumps(described(), ensure_ascii=False, sort_keys=False).encode()


def described() -> dict[str, Any]:
    """Return the document."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            _complete(path, method, operation)
    found["components"]["schemas"] |= _problem_schemas()
    found["components"]["securitySchemes"]["Bearer"]["description"] = (
        "An API token. Each route names the scope that it needs."
    )
    return found


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    scope, media = operation.pop(SCOPE), operation.pop(MEDIA)
    kinds = _kinds(path, operation, scope, operation.pop(PROBLEMS))
    operation["summary"] = operation["summary"].capitalize()
    operation["security"] = [{"Bearer": [scope] if scope else []}]
    needs = f"Needs the scope `{scope}`." if scope else "Any living token may ask."
    operation["description"] = f"{operation['description']}\n\n{needs}"
    for parameter in operation["parameters"]:
        parameter["schema"] = _not_null(parameter["schema"])
        parameter.setdefault("description", f"Which {parameter['name']} of them.")
    for status, answer in operation["responses"].items():
        answer["headers"] = dict(ALLOWANCE)
        if status in media:
            answer["content"] = {each: {"schema": {"type": "string"}} for each in media[status]}
        if method == "get" and status == "200" and "application/json" in answer["content"]:
            answer["headers"] |= ETAG
    if method == "get":
        operation["parameters"].append(IF_NONE_MATCH)
        operation["responses"]["304"] = {"description": "Nothing has changed.", "headers": ETAG}
    operation["responses"] |= _told(kinds)


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not: there is no way to send a null."""
    choices = [each for each in schema.pop("anyOf", []) if each != {"type": "null"}]
    return {**schema, **(choices[0] if choices else {})}


def _kinds(
    path: str, operation: dict[str, Any], scope: str | None, names: Iterable[str]
) -> list[Kind]:
    """Every problem that an operation may tell of."""
    takes = operation["parameters"] or "requestBody" in operation
    own = [kind for kind in problems.KINDS if kind.name in names]
    return [
        *USUAL,
        *([problems.MISSING_SCOPE] if scope else []),
        *([problems.NOT_FOUND] if "{" in path else []),
        *([problems.INVALID] if takes else []),
        *(WITH_BODY if "requestBody" in operation else ()),
        *own,
    ]


def _told(kinds: Iterable[Kind]) -> dict[str, Any]:
    """Return the responses that tell of problems, by status."""
    by_status = defaultdict[str, dict[str, Kind]](dict)
    for kind in kinds:
        by_status[str(int(kind.status))][kind.name] = kind
    return {status: _response(status, by_status[status]) for status in sorted(by_status)}


def _response(status: str, kinds: dict[str, Kind]) -> dict[str, Any]:
    shown = {"schema": {"$ref": f"{REFERENCE}{ProblemDetails.__name__}"}}
    examples = {name: {"value": problems.body(kind)} for name, kind in kinds.items()}
    answer = {
        "description": "; ".join(kind.title for kind in kinds.values()) + ".",
        "content": {problems.MEDIA_TYPE: {**shown, "examples": examples}},
    }
    waits = status in {"429", "503"}
    refused = status in {"401", "403"}
    headers = (RETRY_AFTER if waits else {}) | (CHALLENGE if refused else {})
    return {**answer, "headers": headers} if headers else answer


def _problem_schemas() -> dict[str, Any]:
    schema = ProblemDetails.model_json_schema(ref_template=f"{REFERENCE}{{model}}")
    return {**schema.pop("$defs"), ProblemDetails.__name__: schema}
