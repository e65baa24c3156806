"""A proxy before the local AWS that fails as it is told, per action of SQS, S3 and SES.

Signatures stay valid: requests pass with the host that their client signed. Its figures serve the
tests too: `calls` holds every request with its time.
"""

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from dev.children import HOST

UPSTREAM_SECONDS = 120
#: Headers that belong to one connection.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "expect"})


@dataclass(frozen=True)
class Call:
    """One request to AWS; its path with its query."""

    service: str
    action: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Answer:
    """What the client is sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Exchange:
    """One request on its way, for a fault to do with as it pleases."""

    call: Call
    method: str
    handler: "Handler"
    lifted: threading.Event

    def forward(self) -> Answer:
        """Ask the AWS behind, and return what it says."""
        proxy = self.handler.proxy
        upstream = http.client.HTTPConnection(HOST, proxy.upstream, timeout=UPSTREAM_SECONDS)
        try:
            upstream.putrequest(
                self.method, self.handler.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.call.headers.items():
                if name.lower() not in HOP_BY_HOP | {"content-length"}:
                    upstream.putheader(name, value)
            upstream.putheader("Content-Length", str(len(self.call.body)))
            upstream.endheaders(self.call.body)
            answer = upstream.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            upstream.close()

    def reply(self, answer: Answer, *, length: int | None = None) -> None:
        """Send an answer; a `length` beyond its body's promises more than comes."""
        handler = self.handler
        handler.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                handler.send_header(name, value)
        told = {name.lower(): value for name, value in answer.headers}
        head_only = told.get("content-length", "0") if self.method == "HEAD" else None
        handler.send_header("Content-Length", head_only or str(length or len(answer.body)))
        handler.end_headers()
        if self.method != "HEAD":
            handler.wfile.write(answer.body)

    def reset(self) -> None:
        """End the connection as a crashed server does."""
        linger = struct.pack("ii", 1, 0)
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.handler.close_connection = True
        self.handler.connection.close()


Fault = Callable[[Exchange], None]
Choice = Callable[[Call], bool]


@dataclass
class Rule:
    """A fault that is on: for which action, which calls of it, and how often."""

    action: str
    fault: Fault
    chosen: Choice
    times: int | None
    hits: list[float] = field(default_factory=list)
    lifted: threading.Event = field(default_factory=threading.Event)

    def takes(self, call: Call) -> bool:
        """Whether this call fails, which uses the rule up by one."""
        if self.times is not None and len(self.hits) >= self.times:
            return False
        if self.action not in (call.action, "*") or not self.chosen(call):
            return False
        self.hits.append(time.monotonic())
        return True


def _every(_call: Call) -> bool:
    return True


class Proxy:
    """A running proxy; faults come and go while it runs."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.calls: list[Call] = []
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._server = Server((HOST, 0), Handler)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for rule in list(self._rules):
            self.lift(rule)
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        """Its address, to be given as `AWS_ENDPOINT_URL`."""
        return f"http://{HOST}:{self.port}"

    def impose(
        self, action: str, fault: Fault, *, chosen: Choice = _every, times: int | None = None
    ) -> Rule:
        """Let an action (`*` for each) fail from now on: every call of it that is chosen."""
        rule = Rule(action, fault, chosen, times)
        with self._lock:
            self._rules.append(rule)
        return rule

    def lift(self, rule: Rule) -> None:
        """End a fault; what hangs in it is let go."""
        with self._lock, suppress(ValueError):
            self._rules.remove(rule)
        rule.lifted.set()

    @contextmanager
    def failing(
        self, action: str, fault: Fault, *, chosen: Choice = _every, times: int | None = None
    ) -> Iterator[Rule]:
        """Let an action fail for the length of the block."""
        rule = self.impose(action, fault, chosen=chosen, times=times)
        try:
            yield rule
        finally:
            self.lift(rule)

    def count(self, action: str) -> int:
        """How many calls of an action have come."""
        return sum(call.action == action for call in list(self.calls))

    def serve(self, call: Call, method: str, handler: "Handler") -> None:
        """Let one call pass or fail."""
        with self._lock:
            self.calls.append(call)
            rule = next((rule for rule in self._rules if rule.takes(call)), None)
        lifted = rule.lifted if rule else threading.Event()
        exchange = Exchange(call, method, handler, lifted)
        if rule:
            rule.fault(exchange)
        else:
            exchange.reply(exchange.forward())


class Server(ThreadingHTTPServer):
    """One thread per connection."""

    daemon_threads = True
    request_queue_size = 128
    proxy: Proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients give up here all the time."""


class Handler(BaseHTTPRequestHandler):
    """Reads requests and hands them to the proxy."""

    protocol_version = "HTTP/1.1"
    server: Server

    @property
    def proxy(self) -> Proxy:
        """The proxy that this connection has come to."""
        return self.server.proxy

    def handle_one_request(self) -> None:
        """Read one request of any method and serve it."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        headers, body = dict(self.headers.items()), self._body()
        service, action = named(self.command, self.path, headers, body)
        call = Call(service, action, unquote(self.path), headers, body)
        self.proxy.serve(call, self.command, self)
        if not self.wfile.closed:
            self.wfile.flush()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


def named(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """The service and the action of a request, as AWS names them."""
    lower = {name.lower(): value for name, value in headers.items()}
    if target := lower.get("x-amz-target"):
        return "sqs", target.rpartition(".")[2]
    if path.startswith("/v2/email/"):
        return "ses", "SendEmail"
    if path.startswith("/_ministack"):
        return "ministack", "Look"
    if body.startswith(b"Action=") or b"&Action=" in body[:500]:
        return "query", parse_qs(body.decode())["Action"][0]
    return "s3", _action_of_s3(method, path, lower)


def _action_of_s3(method: str, path: str, headers: dict[str, str]) -> str:
    parts = urlsplit(path)
    query, key = parse_qs(parts.query, keep_blank_values=True), parts.path.strip("/").partition("/")
    if method == "POST":
        for word, action in (("delete", "DeleteObjects"), ("restore", "RestoreObject")):
            if word in query:
                return action
        return "PostObject"
    if method == "PUT":
        return "CopyObject" if "x-amz-copy-source" in headers else "PutObject"
    whole_bucket = {"GET": "ListObjectsV2", "HEAD": "HeadBucket"}
    if method in whole_bucket and not key[2]:
        return whole_bucket[method]
    return f"{method.title()}Object"
