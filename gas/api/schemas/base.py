"""What all schemas share."""

from typing import Annotated, Any

from django.db.models import TextChoices
from ninja import Schema
from pydantic import ConfigDict, Field, Strict, WithJsonSchema

#: Of bodies, where a type is JSON's: neither "12" nor true is a number, and 1 is no true.
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]

#: Numbers of rows, as large as the database has them.
LARGEST_ID = 2**63 - 1


def shown(**example: Any) -> ConfigDict:
    """The configuration of a schema with one example."""
    return ConfigDict(json_schema_extra={"examples": [example]})


def strictly(**example: Any) -> ConfigDict:
    """The same of something that is sent to us: a field that we do not know is refused."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


def one_of(choices: type[TextChoices]) -> WithJsonSchema:
    """Describe choices where they stand: by their name, one `Status` would be another's."""
    return WithJsonSchema({"type": "string", "enum": choices.values})


class FieldProblem(Schema):
    """One thing that is wrong with a request, and where."""

    model_config = shown(pointer="/notes", detail="String should have at most 2000 characters")

    pointer: str | None = Field(
        None, description="JSON pointer into the body of the request (RFC 6901)."
    )
    parameter: str | None = Field(
        None, description="Name of the query, path or header parameter that is wrong instead."
    )
    detail: str = Field(description="What is wrong with it, in English.")


class ProblemDetails(Schema):
    """Why a request was not served (RFC 9457), as `application/problem+json`."""

    model_config = shown(
        type="https://gas.example.org/help/problems/#job-refused",
        title="The job cannot be made or changed",
        status=409,
        detail="The job has finished already.",
    )

    type: str = Field(description="Stable address of the kind of problem; it leads to its help.")
    title: str = Field(description="What kind of problem it is, the same each time.")
    status: int = Field(description="The HTTP status once more.")
    detail: str = Field(description="What went wrong this time, one sentence for a person.")
    errors: list[FieldProblem] = Field(
        default_factory=list, description="Each field that is wrong, of a request that is."
    )
    scope: str | None = Field(None, description="The scope that the token lacks.")
    correlation: str | None = Field(
        None,
        description="Id of the request, by which whoever runs this server finds what happened; "
        "the same as in the header `X-Request-ID`.",
    )
