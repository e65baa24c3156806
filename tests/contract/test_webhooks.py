"""Calls to real servers on loopback: certificates, names, redirects, slow receivers."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from gas.webhooks import sending
from gas.webhooks.sending import MOST_LETTERS, Answer
from tests.contract.receivers import BODY, NAME, Conversation, Server, make_certificate, says

HEADERS = {"webhook-id": "1", "Connection": "close"}


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[..., Server]]:
    """Start servers, and end them."""
    settings.WEBHOOK_LOOPBACK = True
    running: list[Server] = []

    def start(talk: Conversation, context: ssl.SSLContext | None = None) -> Server:
        running.append(Server(talk, context))
        return running[-1]

    yield start
    for server in running:
        server.close()


def call(url: str, *, seconds: float = 60.0) -> Answer:
    return sending.post(url, body=BODY, headers=HEADERS, seconds=seconds)


def test_a_call_is_a_post_with_its_headers_and_body(serve: Callable[..., Server]) -> None:
    server = serve(says(b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nfine!"))
    assert call(f"http://localhost:{server.port}/in?key=1") == Answer(202, "fine!")
    said = server.heard[0].decode()
    assert said.startswith("POST /in?key=1 HTTP/1.1\r\n")
    assert f"Host: localhost:{server.port}\r\n" in said
    assert "webhook-id: 1\r\n" in said
    assert said.endswith('\r\n\r\n{"a":1}')


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(serve: Callable[..., Server], status: int) -> None:
    other = serve(says(b"HTTP/1.1 200 OK\r\n\r\n"))
    where = f"Location: http://127.0.0.1:{other.port}/\r\n".encode()
    server = serve(says(b"HTTP/1.1 %d Go\r\n%b\r\n" % (status, where)))
    answer = call(f"http://127.0.0.1:{server.port}/")
    assert (answer.status, answer.is_yes, other.heard) == (status, False, [])


def test_no_proxy_is_asked(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(says(b"HTTP/1.1 200 OK\r\n\r\n"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    server = serve(says(b"HTTP/1.1 204 No\r\n\r\n"))
    assert call(f"http://127.0.0.1:{server.port}/").is_yes
    assert proxy.heard == []


#: Seconds that a receiver takes at least when nobody leaves it.
SLOW = 50


def drips(line: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"." * 1000:
        line.sendall(bytes([byte]))
        threading.Event().wait(0.05)


def drips_a_body(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    drips(line)


def hangs(line: socket.socket) -> None:
    line.settimeout(60)
    line.recv(1)


@pytest.mark.parametrize("talk", [drips, hangs])
def test_a_slow_receiver_is_left_within_the_time(
    serve: Callable[..., Server], talk: Conversation
) -> None:
    server = serve(talk)
    begun = time.monotonic()
    answer = call(f"http://127.0.0.1:{server.port}/", seconds=0.4)
    assert answer == Answer(None, "No answer within 0.4 seconds.")
    assert time.monotonic() - begun < SLOW


def test_a_body_that_drips_costs_no_status(serve: Callable[..., Server]) -> None:
    server = serve(drips_a_body)
    begun = time.monotonic()
    assert call(f"http://127.0.0.1:{server.port}/", seconds=4).status == 200
    assert time.monotonic() - begun < SLOW


def test_a_name_that_nobody_resolves_is_left_within_the_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        done.wait(SLOW)
        return real("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    begun = time.monotonic()
    said = call("http://localhost:1234/", seconds=0.3).said
    done.set()
    assert said == "No answer within 0.3 seconds."
    assert time.monotonic() - begun < SLOW


def test_of_a_long_answer_a_bounded_printable_beginning_is_kept(
    serve: Callable[..., Server],
) -> None:
    body = b"<script>\x00\x1b[31m\xff\n" + b"x" * 1_000_000
    server = serve(says(b"HTTP/1.1 500 No\r\n\r\n" + body))
    answer = call(f"http://127.0.0.1:{server.port}/")
    assert answer.status == 500
    assert answer.said.startswith("<script> [31m� xxx")
    assert len(answer.said) == MOST_LETTERS


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 99999],
)
def test_nonsense_is_a_failure_and_no_error(serve: Callable[..., Server], nonsense: bytes) -> None:
    server = serve(says(nonsense))
    answer = call(f"http://127.0.0.1:{server.port}/")
    assert answer.status is None
    assert answer.said.startswith("The connection failed")


def test_a_closed_port_is_a_failure_in_words(serve: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as spare:
        port = spare.getsockname()[1]
    assert call(f"http://127.0.0.1:{port}/").said == "The server takes no connection."


# --- https ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the name, signed by itself, with its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names lead to loopback the first time they are asked for, and elsewhere from then on."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        changed = "203.0.113.9" if asked.count(NAME) > 1 else "127.0.0.1"
        return real(changed if host == NAME else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def secure_server(
    serve: Callable[..., Server], certificate: Path, names: list[str | None]
) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _line, name, _context: names.append(name)
    return serve(says(b"HTTP/1.1 200 OK\r\n\r\nyes"), context)


def test_the_address_that_was_looked_at_is_called_under_its_name(
    serve: Callable[..., Server],
    certificate: Path,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: list[str | None] = []
    server = secure_server(serve, certificate, names)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(sending, "tls", lambda: trusting)
    assert call(f"https://{NAME}:{server.port}/") == Answer(200, "yes")
    assert names == [NAME]
    assert f"Host: {NAME}:{server.port}\r\n".encode() in server.heard[0]
    assert asked.count(NAME) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(
    serve: Callable[..., Server], certificate: Path, asked: list[str]
) -> None:
    server = secure_server(serve, certificate, [])
    answer = call(f"https://{NAME}:{server.port}/")
    assert answer.status is None
    assert answer.said.startswith("Its certificate was refused: self-signed certificate")
    assert server.heard == []


def test_a_certificate_of_another_name_is_refused(
    serve: Callable[..., Server],
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = secure_server(serve, certificate, [])
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(sending, "tls", lambda: trusting)
    answer = call(f"https://localhost:{server.port}/")
    assert answer.status is None
    assert "Its certificate was refused" in answer.said


def test_no_connection_is_made_to_a_name_that_leads_to_a_private_address(
    serve: Callable[..., Server], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(says(b"HTTP/1.1 200 OK\r\n\r\n"))
    settings.WEBHOOK_LOOPBACK = False
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, *args, **kwargs: real(
            "127.0.0.1" if host == NAME else host, port, *args, **kwargs
        ),
    )
    answer = call(f"https://{NAME}:{server.port}/")
    assert answer == Answer(None, "The name of the server leads to an address that is not public.")
    assert server.heard == []
