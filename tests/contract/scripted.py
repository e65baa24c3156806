"""A server that answers S3 and Glacier from a script, for what the local ones never do."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """One answer; `promised` more bytes are announced than are sent."""

    status: int
    body: bytes = b""
    promised: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


def s3_error(status: int, code: str) -> Answer:
    """Return S3's way of refusing."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


def glacier_error(status: int, code: str) -> Answer:
    """Return a vault's way of refusing."""
    return Answer(status, json.dumps({"code": code, "message": "no"}).encode())


@dataclass
class Script:
    """The answers to give, and the bodies of the requests that came."""

    endpoint: str
    answers: list[Answer]
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def scripted(*answers: Answer) -> Iterator[Script]:
    """Serve these answers in turn, the last one for ever."""

    class Slot(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if self.raw_requestline and self.parse_request():
                self._answer()

        def _answer(self) -> None:
            script.requests.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            answer = script.answers.pop(0) if script.answers[1:] else script.answers[0]
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + answer.promised))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Slot) as server:
        script = Script(f"http://127.0.0.1:{server.server_address[1]}", list(answers))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
