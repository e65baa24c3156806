"""A webhook address that keeps what it is sent."""

import queue
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Inbox(ThreadingHTTPServer):
    """A loopback server; `answers` holds the statuses of its first answers, 200 follows them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Slot)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook/"
        self.received: queue.Queue[tuple[bytes, str]] = queue.Queue()
        self.answers: list[int] = []

    def take(self, count: int) -> list[tuple[bytes, str]]:
        """Return so many payloads with their signatures, waiting a minute for each at most."""
        return [self.received.get(timeout=60) for _ in range(count)]


class _Slot(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.put((payload, self.headers["Stripe-Signature"]))  # before the next
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass
