"""What a line of the log is about: bound once per request or task, written into every line.

A correlation id is 32 hexadecimal digits of our own making. A request makes one; a job keeps that
of the request which made it, and every message, task and annotation for the job bears it.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from structlog import contextvars

#: Every field of a line beside time, level, logger and event, and what it holds.
FIELDS = {
    "correlation": "id of the request, or of the request that made the job",
    "outer": "X-Request-ID or trace that the client or the load balancer says it belongs to",
    "method": "HTTP method",
    "route": "pattern of the address, without what a visitor puts in its place",
    "status": "HTTP status of the answer",
    "seconds": "how long it took",
    "user": "number of the account that asks",
    "job": "number of the job",
    "attempt": "fencing number of the claim",
    "task": "task of the pipeline",
    "queue": "queue that its message came from",
    "message_id": "id of the message as Celery counts it; repeats and waits keep it",
    "sqs_id": "id of the message as SQS counts it",
    "receives": "times that SQS has delivered it",
    "state": "how a task ended",
}

#: Forms in which proxies and programs name a request; whatever else they send is dropped.
_OUTER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")
_TRACE = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")  # w3.org/TR/trace-context
_OURS = re.compile(r"[0-9a-f]{32}")


def new() -> str:
    """Make an id that nobody can guess."""
    return secrets.token_hex(16)


def correlation() -> str:
    """The id of what goes on in this thread; empty when nobody began anything."""
    return str(contextvars.get_contextvars().get("correlation", ""))


def ours(text: object) -> str:
    """The id if it has the form of ours; a message is from outside as much as a header."""
    return text if isinstance(text, str) and _OURS.fullmatch(text) else ""


def outer_reference(request_id: str, traceparent: str) -> str:
    """What the caller calls this request, if it is well formed: a word to look for, no more."""
    if _OUTER.fullmatch(request_id):
        return request_id
    trace = _TRACE.fullmatch(traceparent)
    return trace[1] if trace else ""


def bind(**fields: object) -> None:
    """Write these fields into every further line of this thread."""
    contextvars.bind_contextvars(**_told(fields))


def bound(field: str) -> object:
    """What is written in a field of every line now; None when nothing is."""
    return contextvars.get_contextvars().get(field)


def begin(**fields: object) -> None:
    """Begin anew with these fields."""
    contextvars.clear_contextvars()
    bind(**fields)


def end() -> None:
    """Forget what was bound."""
    contextvars.clear_contextvars()


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Begin anew with these fields, and end with those of before."""
    before = contextvars.get_contextvars()
    begin(**fields)
    try:
        yield
    finally:
        contextvars.clear_contextvars()
        contextvars.bind_contextvars(**before)


def _told(fields: dict[str, object]) -> dict[str, object]:
    if unknown := fields.keys() - FIELDS.keys():
        raise ValueError(f"no fields of a line: {', '.join(sorted(unknown))}")
    return {name: value for name, value in fields.items() if value not in (None, "")}
