"""A receiver of webhooks that takes every call and keeps what it was told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from dev.children import HOST


class News(NamedTuple):
    """What a call tells, and of which job."""

    event: str
    job: int


@dataclass(frozen=True)
class Heard:
    """One call: to whom, under which id, and what it said."""

    path: str
    id: str
    body: bytes


def news_in(body: bytes) -> News:
    """What a call tells."""
    told = json.loads(body)
    return News(told["type"], told["data"]["job"]["id"])


class Receiver(ThreadingHTTPServer):
    """Answers 200, whatever it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Answers)
        self.heard: list[Heard] = []

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return self.server_address[1]

    @property
    def address(self) -> str:
        """What a webhook of it begins with."""
        return f"http://{HOST}:{self.port}"


class _Answers(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Keep one call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(Heard(self.path, self.headers["webhook-id"], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver for the length of the block."""
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
