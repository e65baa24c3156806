"""A worker says on a loopback port whether it is up (`/healthz`) and can work (`/readyz`)."""

import logging
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from celery.signals import worker_ready
from django.conf import settings

from gas import health
from tasks.transport import RECEIVE_SECONDS, last_heard

logger = logging.getLogger(__name__)

#: A queue that was not heard for so long cannot be polled: the time of two polls.
DEAF_SECONDS = 2 * RECEIVE_SECONDS


#: What each worker needs beside its queues.
PARTS = {name: health.PARTS[name] for name in ("database", "migrations", "storage")}


def look() -> list[health.Finding]:
    """How each queue of this worker is, by the seconds since it was heard, and each other part."""
    now = time.monotonic()
    silent = {f"queue {name}": now - heard for name, heard in sorted(last_heard.items())}
    queues = [health.Finding(name, for_ < DEAF_SECONDS, for_) for name, for_ in silent.items()]
    return [*queues, *health.look(PARTS)]


class Answers(BaseHTTPRequestHandler):
    """The two addresses."""

    timeout = 10

    def do_GET(self) -> None:
        """Answer 200 when all is well, 503 with the names of what fails, 404 elsewhere."""
        if self.path not in {"/healthz", "/readyz"}:
            self._say(404, "not found")
        elif self.path == "/readyz":
            findings = look()
            first = health.first_line(findings)
            self._say(200 if first == "ok" else 503, "\n".join([first, *map(str, findings)]))
        else:
            self._say(200, "ok")

    def _say(self, status: int, words: str) -> None:
        body = f"{words}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: Any) -> None:
        """Log nothing: it is asked every few seconds."""


@worker_ready.connect(weak=False)
def answer(**_: Any) -> None:
    """Begin to answer, if the settings name a port."""
    if not settings.WORKER_PORT:
        return
    server = ThreadingHTTPServer(("127.0.0.1", settings.WORKER_PORT), Answers)
    server.daemon_threads = True
    # A process of the pool that outlives its worker must not keep the port.
    os.register_at_fork(after_in_child=server.socket.close)
    threading.Thread(target=server.serve_forever, name="ready", daemon=True).start()
    logger.info("this worker answers on port %s", server.server_port)
