"""Where the token and the files may go: encrypted, or not further than this machine."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from gas_client.errors import Misused, Unavailable

#: Where a token is made, below the address of the service.
TOKENS_PAGE = "/account/tokens/"


def service_address(text: str, *, insecure_http: bool = False) -> str:
    """Return scheme, host and port of a service that somebody named; Misused if it is none.

    Plain http is for this machine alone, unless `insecure_http` allows more.
    """
    given = text.strip()
    parts = _split(given if "://" in given else f"https://{given}")
    if "://" not in given and _is_loopback(parts):
        parts = parts._replace(scheme="http")
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise Misused(f"{text!r} is not the address of a service, such as https://gas.example.org.")
    if not _is_private(parts, insecure_http=insecure_http):
        raise Misused(
            f"{parts.netloc} is asked for by http, where others could read your token;"
            " use https, or --insecure-http if you know the network."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def checked_link(url: str, *, insecure_http: bool = False) -> str:
    """Return a link to storage that the service gave; Unavailable when others could read along."""
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not _is_private(parts, insecure_http=insecure_http):
        raise Unavailable("The service gave a link to storage that is not encrypted.")
    return url


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # reads it, and raises when it is none
    except ValueError as error:
        raise Misused(f"{url!r} is not an address.") from error
    return parts


def _is_private(parts: SplitResult, *, insecure_http: bool) -> bool:
    return parts.scheme == "https" or insecure_http or _is_loopback(parts)


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
