"""Where a webhook may lead: public addresses of the internet, and nothing that is near to us.

A name is resolved once; every address that it leads to is looked at, and the one that was looked at
is the one that is called, so that a name which changes its mind meanwhile gains nothing.
"""

import ipaddress
import queue
import re
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

LONGEST_URL = 500

#: Networks that Python calls global, or called so once, and that are not one host's for sure.
#: https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml
_NOT_PUBLIC = [
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Of IPv6: assignments of the IETF (Teredo, ORCHID), examples, and 6to4: holds an IPv4.
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"),
    )
]
#: What is handed out of IPv6 today; mapped, translated, local and multicast addresses lie outside.
_UNICAST = ip_network("2000::/3")

_NAMES_OF_OURS = ("localhost", "local", "internal", "home.arpa", "localdomain", "lan", "intranet")
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
#: Beside https's own, ports that no service of old listens on.
_HTTPS, _FIRST_FREE_PORT = 443, 1024


class BadAddress(Exception):
    """Nothing is sent there; the message is one sentence for the account's owner."""


@dataclass(frozen=True)
class Target:
    """The parts of the URL of a webhook."""

    is_https: bool
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _HTTPS if self.is_https else 80
        return host if self.port == usual else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """Read a URL as far as that needs no look-up; BadAddress for what is never called."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadAddress(f"Please give an address of at most {LONGEST_URL} plain letters.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise BadAddress("This is no address of a web server.") from None
    if parts.scheme not in ("https", "http") or not host:
        raise BadAddress("Please give an address that begins with https://.")
    if "@" in parts.netloc or "\\" in url or parts.fragment:
        raise BadAddress("The address must hold neither a name, a password, nor a fragment.")
    is_https = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    usual = _HTTPS if is_https else 80
    target = Target(is_https, host, usual if port is None else port, path)
    _refuse_near(target)
    return target


def _refuse_near(target: Target) -> None:
    literal = _as_number(target.host)
    if literal is not None:
        refuse(literal, target)
        return
    if _NAME.fullmatch(target.host) is None:
        raise BadAddress("This is no name of a web server.")
    if target.host == "localhost" and settings.WEBHOOK_LOOPBACK:
        return
    if target.host.rpartition(".")[2] in _NAMES_OF_OURS or target.host.endswith(".home.arpa"):
        raise BadAddress("This name is no public one.")
    if "." not in target.host:
        raise BadAddress("Please give the whole name of the server.")
    _refuse_unsafe(target)


def _as_number(host: str) -> str | None:
    """The address that a host is in itself, in any of the ways to write one; None for a name."""
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def refuse(address: str, target: Target) -> None:
    """BadAddress unless this is a public address that may be called in this way."""
    if settings.WEBHOOK_LOOPBACK and is_loopback(address):
        return
    if not is_public(address):
        raise BadAddress("The name of the server leads to an address that is not public.")
    _refuse_unsafe(target)


def _refuse_unsafe(target: Target) -> None:
    if not target.is_https:
        raise BadAddress("Please give an address that begins with https://.")
    if target.port != _HTTPS and target.port < _FIRST_FREE_PORT:
        raise BadAddress(f"Please use port {_HTTPS}, or one from {_FIRST_FREE_PORT} on.")


def is_loopback(address: str) -> bool:
    """Whether this is this very machine, written plainly."""
    return ip_address(address).is_loopback if _is_address(address) else False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an address is one host of the public internet, for sure."""
    if not _is_address(address):
        return False
    number: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(number, IPv6Address) and (number.scope_id or number not in _UNICAST):
        return False
    listed = any(number in network for network in _NOT_PUBLIC)
    return number.is_global and not number.is_multicast and not listed


def looked_up(target: Target, *, seconds: float) -> list[str]:
    """Every address of the target's host, all of which may be called.

    BadAddress when one may not; OSError when the name is unknown, or nobody answers in time. The
    resolver has no time-out of its own: a thread that it keeps is left behind and ends with it.
    """
    answers: queue.Queue[list[str] | OSError] = queue.Queue()
    threading.Thread(target=_ask, args=(target, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0.01))
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    for address in answer:
        refuse(address, target)
    return answer


def _ask(target: Target, answers: queue.Queue[list[str] | OSError]) -> None:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        answers.put(error)
    except UnicodeError:
        answers.put(OSError("this is no name"))
    else:
        answers.put(list(dict.fromkeys(str(each[4][0]) for each in found)))
