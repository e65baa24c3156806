"""Every operation of the API, as it is called about the owner's rows."""

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client

from gas.models import Scope, Status, User
from gas.services import api_tokens, uploads
from tests.stage import Shelf, job_in
from tests.unit.api.conftest import DAY

ROOT = "/api/v1"
DIGEST = "a" * 64
PARTED: dict[str, Any] = {"filename": "y.vcf", "size": 40 * 1024**2, "first_bytes": DIGEST}


@dataclass(frozen=True)
class Call:
    """One operation: how it is called, what scope it needs, and how it answers the owner."""

    method: str
    path: str
    scope: Scope | None
    status: int = 200
    body: dict[str, Any] | None = None

    @property
    def names_a_row(self) -> bool:
        """Whether its path names a row that is somebody's."""
        return bool(re.search(r"\{(job|upload|token)", self.path))


READ, WRITE, DELETE = Scope.READ, Scope.WRITE, Scope.DELETE
ACCOUNT, ACCOUNT_WRITE = Scope.ACCOUNT, Scope.ACCOUNT_WRITE

CALLS = {
    "get_me": Call("get", "/me", ACCOUNT),
    "list_bundles": Call("get", "/bundles", None),
    "get_bundle": Call("get", "/bundles/demo-grch38", None),
    "get_subscription": Call("get", "/subscription", ACCOUNT),
    "open_checkout": Call("post", "/subscription/checkout", ACCOUNT_WRITE),
    "open_portal": Call("post", "/subscription/portal", ACCOUNT_WRITE, 409),
    "list_tokens": Call("get", "/tokens", ACCOUNT),
    "revoke_this_token": Call("delete", "/tokens/current", None, 204),
    "revoke_token": Call("delete", "/tokens/{token}", ACCOUNT_WRITE, 204),
    "list_uploads": Call("get", "/uploads", WRITE),
    "create_upload": Call("post", "/uploads", WRITE, 201, PARTED),
    "get_upload": Call("get", "/uploads/{upload}", WRITE),
    "delete_upload": Call("delete", "/uploads/{upload}", WRITE, 204),
    "list_parts": Call("get", "/uploads/{upload}/parts", WRITE),
    "sign_parts": Call(
        "post", "/uploads/{upload}/parts", WRITE, 200, {"parts": [{"number": 1, "sha256": DIGEST}]}
    ),
    "complete_upload": Call("post", "/uploads/{upload}/complete", WRITE, 409),
    "list_jobs": Call("get", "/jobs", READ),
    "create_job": Call("post", "/jobs", WRITE, 409, {"upload": "{upload}"}),
    "get_job": Call("get", "/jobs/{job}", READ),
    "delete_job": Call("delete", "/jobs/{job}", DELETE, 204),
    "cancel_job": Call("post", "/jobs/{job}/cancel", WRITE, 409),
    "rerun_job": Call("post", "/jobs/{job}/rerun", WRITE, 201),
    "restore_job": Call("post", "/jobs/{job}/restore", WRITE, 202),
    "list_events": Call("get", "/jobs/{job}/events", READ),
    "get_log": Call("get", "/jobs/{job}/log", READ),
    "get_summary": Call("get", "/jobs/{job}/summary", READ),
    "get_provenance": Call("get", "/jobs/{job}/provenance", READ),
    "list_files": Call("get", "/jobs/{job}/files", READ),
    "get_file": Call("get", "/jobs/{job}/files/vcf", READ),
    "get_file_content": Call("get", "/jobs/{job}/files/vcf/content", READ, 302),
    "list_variants": Call("get", "/jobs/{job}/variants?gene=PDIA2", READ),
    "list_transcripts": Call("get", "/jobs/{job}/variants/0", READ),
    "export_variants": Call("get", "/jobs/{job}/export/tsv?gene=PDIA2", READ),
}


class Owned:
    """Rows of the owner that calls are about: a completed job, an upload in parts, a token."""

    def __init__(self, owner: User, shelf: Shelf) -> None:
        job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
        self.upload = uploads.begin_parts(owner=owner, **PARTED).upload
        token = api_tokens.issue(user=owner, name="a", scopes=[READ], lifetime=DAY).token
        self.names: dict[str, object] = {"job": job.pk, "upload": self.upload.pk, "token": token.pk}

    def ask(self, client: Client, call: Call, **how: Any) -> HttpResponseBase:
        """Call an operation about these rows."""
        path = ROOT + re.sub(r"\{(\w+)\}", lambda name: str(self.names[str(name[1])]), call.path)
        body = call.body
        if body and "{upload}" in body.values():
            body = {"upload": str(self.names["upload"])}
        answer: HttpResponseBase = getattr(client, call.method)(
            path,
            body,
            **({} if call.method == "get" else {"content_type": "application/json"}),
            **how,
        )
        return answer


def body_of(answer: HttpResponseBase) -> bytes:
    """The bytes of an answer that is no stream."""
    assert isinstance(answer, HttpResponse)
    return answer.content
