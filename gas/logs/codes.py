"""What may be told of other people's exceptions beside their class: codes, never words.

A value is taken only from the classes named here, and only in the form that codes of such a class
have, so that nothing that somebody sent can pass for one. Classes are known by name: nobody needs
their libraries to write a line.
"""

import errno
import re
from collections.abc import Callable, Iterator
from typing import Any

#: SQLite names the constraint, or the columns, and nothing of the row.
_SQLITE_CONSTRAINT = re.compile(
    r"(?:UNIQUE|CHECK|NOT NULL|FOREIGN KEY) constraint failed(?:: [a-z]\w*(?:[.,] ?[a-z]\w*)*)?"
)

_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_SCHEMA_NAME = re.compile(r"[a-z]\w{0,62}")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_CAMEL = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,59}")
_SNAKE = re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){0,5}")
_STATUS = re.compile(r"[1-5]\d\d")
_NUMBER = re.compile(r"\d{1,3}")

Found = Iterator[tuple[re.Pattern[str], object]]


def of(error: BaseException) -> str:
    """The codes of an exception with a space between them; nothing when none are known."""
    for kind in type(error).__mro__:
        reader = _READERS.get(f"{kind.__module__}.{kind.__qualname__}")
        if reader:
            found = [(form, str(value)) for form, value in reader(error) if value is not None]
            return " ".join(value for form, value in found if form.fullmatch(value))
    return ""


def _django(error: Any) -> Found:
    """Django's copy of what the driver said: the driver's is its cause."""
    for kind in type(error.__cause__).__mro__:
        if reader := _DRIVERS.get(f"{kind.__module__}.{kind.__qualname__}"):
            yield from reader(error.__cause__)


def _psycopg(error: Any) -> Found:
    yield _SQLSTATE, error.sqlstate
    yield _SCHEMA_NAME, error.diag.constraint_name


def _sqlite(error: Any) -> Found:
    yield _CAPITALS, getattr(error, "sqlite_errorname", None)
    yield _SQLITE_CONSTRAINT, error


def _botocore(error: Any) -> Found:
    yield _CAMEL, error.response.get("Error", {}).get("Code")
    yield _STATUS, error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")


def _stripe(error: Any) -> Found:
    yield _STATUS, error.http_status
    yield _SNAKE, error.code


def _globus(error: Any) -> Found:
    yield _STATUS, error.http_status
    yield _CAMEL, error.code


def _requests(error: Any) -> Found:
    yield _STATUS, getattr(error.response, "status_code", None)


def _urllib(error: Any) -> Found:
    yield _STATUS, error.code


def _smtp(error: Any) -> Found:
    yield _STATUS, error.smtp_code


def _tls(error: Any) -> Found:
    yield _CAPITALS, getattr(error, "reason", None)


def _curl(error: Any) -> Found:
    yield _NUMBER, next(iter(error.args), None)


def _system(error: Any) -> Found:
    yield _CAPITALS, errno.errorcode.get(error.errno or 0)


Reader = Callable[[Any], Found]

_DRIVERS: dict[str, Reader] = {"psycopg.Error": _psycopg, "sqlite3.Error": _sqlite}

_READERS: dict[str, Reader] = {
    **_DRIVERS,
    "django.db.utils.Error": _django,
    "botocore.exceptions.ClientError": _botocore,
    "stripe._error.StripeError": _stripe,
    "globus_sdk.exc.api.GlobusAPIError": _globus,
    "requests.exceptions.RequestException": _requests,
    "urllib.error.HTTPError": _urllib,
    "smtplib.SMTPResponseException": _smtp,
    "ssl.SSLError": _tls,
    "pycurl.error": _curl,
    "builtins.OSError": _system,
}
