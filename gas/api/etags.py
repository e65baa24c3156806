"""Answers that programs need not fetch twice."""

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

#: Of answers with signed links in them, which end: nothing is to be kept of those.
NO_STORE = "private, no-store"


def validated(
    request: HttpRequest, response: HttpResponse, *, kept: str = "private, no-cache"
) -> HttpResponse:
    """Name what a GET brings by its bytes, and say no more to who has it already (RFC 9110)."""
    is_plain = request.method == "GET" and response.status_code == 200
    if not is_plain or "Cache-Control" in response.headers:
        return response
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": kept}
    if _has(request.headers.get("If-None-Match", ""), etag):
        return HttpResponseNotModified(headers=headers)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def _has(told: str, etag: str) -> bool:
    known = parse_etags(told)
    return known == ["*"] or etag in [each.removeprefix("W/") for each in known]
