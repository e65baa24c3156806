"""How a line of the log is written: readable on a terminal, else one JSON object a line.

Our code uses the standard library's loggers, as Django, Celery and botocore do, and names further
facts by `extra={...}`; every line goes through the same processors of structlog.
"""

import json
import logging
import logging.config
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from structlog.processors import TimeStamper
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

from gas.logs.context import FIELDS
from gas.logs.redaction import Redaction, named, traced

#: Libraries of which only what goes wrong is told: the rest is noise, or holds what passes by.
QUIET = (
    "asyncio",
    "boto3",
    "botocore",
    "celery.app.trace",
    "celery.worker.strategy",
    "globus_sdk",
    "kombu",
    "s3transfer",
    "stripe",
    "urllib3",
)
#: Loggers that bring handlers of their own unless they are told not to.
OWN_HANDLERS = ("gunicorn.error", "gunicorn.access", "django", "django.server")
#: Lines of metrics, which are JSON already.
METRICS = "gas.metrics"

_FIRST = ("time", "level", "logger", "event")


class LineFormatter(ProcessorFormatter):
    """structlog's formatter; of an exception among the arguments it shows what may be told."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        shown = logging.makeLogRecord(record.__dict__)
        shown.msg, shown.args = _told(record)
        return super().format(shown)


def formatter(style: str, secrets: Iterable[str]) -> LineFormatter:
    """Build the formatter of a style, `line` or `json`; `secrets` are values never to be told."""
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_logger_name,
        add_log_level,
        ExtraAdder(allow=FIELDS),
        TimeStamper(fmt="iso", utc=True, key="time"),
        _with_trace,
        Redaction(secrets),
    ]
    return LineFormatter(
        processors=[ProcessorFormatter.remove_processors_meta, RENDERERS[style]],
        foreign_pre_chain=chain,
    )


def configuration(*, level: str, style: str, secrets: Iterable[str]) -> dict[str, Any]:
    """The configuration of `logging` for every process: everything to stderr, once."""
    chosen = style if style != "auto" else "line" if sys.stderr.isatty() else "json"
    loggers: dict[str, dict[str, Any]] = {name: {"level": "WARNING"} for name in QUIET}
    loggers |= {name: {"handlers": [], "propagate": True} for name in OWN_HANDLERS}
    loggers[METRICS] = {"handlers": ["metrics"], "propagate": False, "level": "INFO"}
    loggers["django.request"] = {"level": "ERROR"}  # what is refused, `gas.views.trail` tells
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {"()": formatter, "style": chosen, "secrets": list(secrets)},
            "bare": {"format": "%(message)s"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "lines"},
            "metrics": {"class": "logging.StreamHandler", "formatter": "bare"},
        },
        "loggers": loggers,
        "root": {"handlers": ["stderr"], "level": level},
    }


def _told(record: logging.LogRecord) -> tuple[str, Any]:
    """The message and its arguments, without what libraries quote of requests and arguments."""
    args: Any = record.args
    if record.name.startswith("django.security"):
        return "a request was refused: %s", (record.name.rpartition(".")[2],)
    if record.name == "django.request" and args:
        return "%s", (args[0],)  # its second argument is the path
    if record.name == "py.warnings" and args:
        return "%s", (str(args[0]).partition("\n")[0].partition(" body: ")[0],)
    if isinstance(args, Mapping):
        return _of_task(str(record.msg), args)
    return str(record.msg), tuple(named(a) if isinstance(a, BaseException) else a for a in args)


def _of_task(message: str, facts: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What Celery says of a task: an exception by its class alone, and no arguments."""
    hidden = {"args": "", "kwargs": "", "return_value": "", "traceback": ""}
    fault = str(facts.get("exc", "")).partition("(")[0].partition(":")[0]
    return message, {**facts, **hidden, "exc": fault}


def _with_trace(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Say where an exception came from."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if isinstance(info, tuple) and info[1] is not None:
        event["exception"] = traced(info[1])
    return event


def as_json(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """One JSON object, what every line has in front."""
    ordered = {name: event.pop(name) for name in (*_FIRST, *FIELDS) if name in event}
    return json.dumps({**ordered, **event}, default=str)


def as_line(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """A line for a person; nothing in it can begin another line or steer a terminal."""
    time, level, source, said = (str(event.pop(name, "")) for name in _FIRST)
    trace = str(event.pop("exception", ""))
    facts = " ".join(f"{name}={_plain(str(event[name]))}" for name in FIELDS if name in event)
    line = f"{time[11:19]} {level:<7} {source}: {_plain(said)}"
    return "\n    ".join(filter(None, [f"{line}  {facts}" if facts else line, *trace.splitlines()]))


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


RENDERERS: dict[str, Processor] = {"json": as_json, "line": as_line}
