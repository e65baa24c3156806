"""The ways in which an answer of AWS goes wrong, each by its name in `FAULTS`."""

import json
import threading
from collections.abc import Callable
from xml.sax.saxutils import escape

from dev.faults.proxy import Answer, Exchange, Fault

#: Between two bytes of a slow answer.
BYTE_SECONDS = 1.5
#: The most that a hung connection is held.
HANG_SECONDS = 120


def refused(status: int, code: str) -> Fault:
    """An error with this code, in the protocol of the service."""

    def refuse(exchange: Exchange) -> None:
        exchange.reply(_refusal(exchange.call.service, status, code))

    return refuse


def _refusal(service: str, status: int, code: str) -> Answer:
    if service == "s3":
        xml = f"<Error><Code>{escape(code)}</Code><Message>on purpose</Message></Error>"
        return Answer(status, [("Content-Type", "application/xml")], xml.encode())
    headers = [
        ("Content-Type", "application/x-amz-json-1.0"),
        ("x-amzn-ErrorType", code),
        ("x-amzn-query-error", f"{code};Sender"),
    ]
    body = {"__type": f"com.amazonaws.{service}#{code}", "message": "on purpose"}
    return Answer(status, headers, json.dumps(body).encode())


def reset(exchange: Exchange) -> None:
    """The connection is reset, nothing was done."""
    exchange.reset()


def answer_lost(exchange: Exchange) -> None:
    """What was asked is done, and the connection is reset before the answer."""
    exchange.forward()
    exchange.reset()


def hang(exchange: Exchange) -> None:
    """No answer, on a connection that stays open."""
    exchange.lifted.wait(HANG_SECONDS)
    exchange.reset()


def slow(exchange: Exchange) -> None:
    """The right answer, a byte every so often."""
    answer = exchange.forward()
    exchange.reply(Answer(answer.status, answer.headers, b""), length=max(len(answer.body), 1))
    for byte in answer.body:
        if exchange.lifted.is_set():
            break
        exchange.handler.wfile.write(bytes([byte]))
        exchange.handler.wfile.flush()
        exchange.lifted.wait(BYTE_SECONDS)
    exchange.reset()


def cut(exchange: Exchange) -> None:
    """The right answer, of which the end is missing."""
    answer = exchange.forward()
    half = Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
    exchange.reply(half, length=len(answer.body) + 1)
    exchange.reset()


def garbage(exchange: Exchange) -> None:
    """Success, and a body that is nothing."""
    exchange.reply(Answer(200, [("Content-Type", "text/html")], b"<!doctype html>\x00 soon"))


def wrong_shape(exchange: Exchange) -> None:
    """Success, and a body in the right format that says something else."""
    if exchange.call.service == "s3":
        exchange.reply(Answer(200, [("Content-Type", "application/xml")], b"<Other>1</Other>"))
        return
    body = json.dumps({"Messages": "none", "MessageId": 7, "Other": [1]}).encode()
    exchange.reply(Answer(200, [("Content-Type", "application/x-amz-json-1.0")], body))


def altered(exchange: Exchange) -> None:
    """The right answer with one byte changed on the way."""
    answer = exchange.forward()
    body = bytes([answer.body[0] ^ 1]) + answer.body[1:] if answer.body else b""
    exchange.reply(Answer(answer.status, answer.headers, body))


def twice(exchange: Exchange) -> None:
    """What was asked is done two times."""
    exchange.forward()
    exchange.reply(exchange.forward())


def swallowed(exchange: Exchange) -> None:
    """A message is taken and lost."""
    body = json.dumps({"MessageId": "00000000-0000-4000-8000-000000000000"}).encode()
    exchange.reply(Answer(200, [("Content-Type", "application/x-amz-json-1.0")], body))


def held_back(seconds: float) -> Fault:
    """A message is taken, and seen only so much later."""

    def hold(exchange: Exchange) -> None:
        threading.Timer(seconds, exchange.forward).start()
        swallowed(exchange)

    return hold


def after(seconds: float, fault: Fault) -> Callable[[Exchange], None]:
    """A fault that takes its time."""

    def wait(exchange: Exchange) -> None:
        exchange.lifted.wait(seconds)
        fault(exchange)

    return wait


#: What can befall any action.
FAULTS: dict[str, Fault] = {
    "500": refused(500, "InternalError"),
    "503": refused(503, "ServiceUnavailable"),
    "throttled": refused(400, "ThrottlingException"),
    "over-limit": refused(403, "OverLimit"),
    "expired-token": refused(403, "ExpiredToken"),
    "unknown-token": refused(403, "InvalidClientTokenId"),
    "access-denied": refused(403, "AccessDenied"),
    "reset": reset,
    "answer-lost": answer_lost,
    "hang": hang,
    "slow": slow,
    "cut": cut,
    "garbage": garbage,
    "wrong-shape": wrong_shape,
}

#: What befalls queues alone.
MISSING_QUEUE = refused(400, "AWS.SimpleQueueService.NonExistentQueue")
SQS_FAULTS = FAULTS | {"queue-missing": MISSING_QUEUE}
#: What befalls objects alone; `altered` is a checksum that is wrong.
S3_FAULTS = FAULTS | {"slow-down": refused(503, "SlowDown"), "altered": altered}
