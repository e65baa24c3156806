"""The API as one thing: its routes, its errors, and how its answers are written."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.operation import Operation
from ninja.router import Router

from gas.api import errors
from gas.api.etags import validated
from gas.api.routes import account, jobs, references, results, uploads, webhooks

VERSION = "1"

ABOUT = """\
Upload a VCF, get every variant annotated. Make a token on the page of API tokens and send it as
`Authorization: Bearer gas_...`. Bodies are JSON, times are UTC, checksums are SHA-256.

Every error is `application/problem+json` (RFC 9457); its `type` is stable and leads to help. Lists
go on with `cursor`. GETs have an `ETag` and know `If-None-Match`, those with signed links excepted.
Answers tell what is left of the plan's requests a minute; 429 and 503 say when to try again.
"""

TAGS = [
    {"name": "uploads", "description": "Files on their way to S3, which they reach by themselves."},
    {"name": "jobs", "description": "Made, watched, stopped, run again, brought back, deleted."},
    {"name": "results", "description": "Files, variants by a filter, and how they were made."},
    {"name": "references", "description": "What jobs can be annotated against."},
    {
        "name": "webhooks",
        "description": "A server of yours, called when something happens to a job.",
    },
    {"name": "account", "description": "Plan, limits, subscription and tokens."},
]


class Api(NinjaAPI):
    """Ninja with names of operations that stay, and answers that need not be fetched twice."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the function, which clients are built on."""
        return operation.view_func.__name__

    def get_operation_url_name(self, operation: Operation, router: Router) -> str:
        """The same for its address."""
        return operation.view_func.__name__

    def create_response(
        self,
        request: HttpRequest,
        data: Any,
        *,
        status: int | None = None,
        temporal_response: HttpResponse | None = None,
    ) -> HttpResponse:
        """Write an answer, or nothing but its name to who has it already."""
        response = super().create_response(
            request, data, status=status, temporal_response=temporal_response
        )
        return validated(request, response)


def made() -> Api:
    """Make the API; its document is served by a view of ours."""
    api = Api(
        title="GAS API",
        version=VERSION,
        description=ABOUT,
        openapi_url=None,
        docs_url=None,
        urls_namespace="api",
        servers=[{"url": settings.BASE_URL}],
        openapi_extra={"tags": TAGS},
    )
    errors.told_by(api)
    for module in (uploads, jobs, results, references, webhooks, account):
        api.add_router("", module.routes)
    return api


api = made()
