"""The content security policy: what our pages may load, and where they may send."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"[\d.]+|\[.*\]")  # an IP address, before which no bucket can stand


def upload_sources(*, bucket: str, region: str, endpoint: str | None) -> list[str]:
    """Return where S3 takes a bucket's uploads: its name in the path, or before the host's.

    Without an endpoint these are Amazon's, whose global name serves new buckets of any region.
    """
    hosts = ["https://s3.amazonaws.com", f"https://s3.{region}.amazonaws.com"]
    return [
        source
        for host in ([endpoint.rstrip("/")] if endpoint else hosts)
        for source in (f"{host}/{bucket}", _before_host(host, bucket))
        if source
    ]


def _before_host(host: str, bucket: str) -> str:
    parts = urlsplit(host)
    if _ADDRESS.fullmatch(parts.hostname or "") or "." in bucket:
        return ""
    return f"{parts.scheme}://{bucket}.{parts.netloc}"


def part_sources(forms: Iterable[str]) -> list[str]:
    """Return where a script sends parts: below each place that takes a bucket's forms.

    A path without a slash at its end covers itself alone.
    """
    return [source if urlsplit(source).path == "" else f"{source}/" for source in forms]


def directives(*, uploads: Iterable[str], pages: Iterable[str], secure: bool) -> Mapping[str, Any]:
    """Allow our own files and nothing inline; send to ourselves, to S3, and on to `pages`.

    Browsers hold a form's redirects to `form-action` too, so it names Globus and the payment pages.
    """
    ours = ["'self'"]
    return {
        "default-src": ["'none'"],
        "script-src": ours,
        "style-src": ours,
        "font-src": ours,
        "img-src": [*ours, "data:"],  # Bootstrap's own icons are data: addresses in its style sheet
        "connect-src": [*ours, *part_sources(uploads)],
        "form-action": [*ours, *uploads, *pages],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "upgrade-insecure-requests": secure,
    }
