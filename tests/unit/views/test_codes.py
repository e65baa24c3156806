"""What is told of other people's exceptions: a code by which one knows it, and no word."""

import socket
import sqlite3
import ssl
import urllib.error
from collections.abc import Callable
from email.message import Message
from smtplib import SMTPResponseException
from typing import Any

import psycopg.errors
import pycurl
import pytest
import requests
import stripe
from botocore.exceptions import ClientError
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from gas.logs import codes
from gas.logs.redaction import Redaction, named, traced
from gas.models import User

PLANTED = "Pl4nted-person@planted.example"

card_error: Any = stripe.CardError  # neither is typed
curl_error: Any = vars(pycurl)["error"]


def answered(status: int) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    return answer


def refused_by_aws(code: str, status: int = 503) -> ClientError:
    told: Any = {"Error": {"Code": code, "Message": PLANTED}}
    return ClientError(told | {"ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


ERRORS = {
    "23505": psycopg.errors.UniqueViolation(PLANTED),
    "SlowDown 503": refused_by_aws("SlowDown"),
    "402 card_declined": card_error(PLANTED, PLANTED, "card_declined", http_status=402),
    "404": requests.HTTPError(PLANTED, response=answered(404)),
    "410": urllib.error.HTTPError(f"https://x/{PLANTED}", 410, PLANTED, Message(), None),
    "550": SMTPResponseException(550, PLANTED),
    "28": curl_error(28, PLANTED),
    "ENOSPC": OSError(28, PLANTED, PLANTED),
    "ECONNREFUSED": ConnectionRefusedError(111, PLANTED),
}


@pytest.mark.parametrize("code", ERRORS)
def test_an_exception_is_known_by_its_code_and_tells_no_word(code: str) -> None:
    error = ERRORS[code]
    kind = type(error)
    assert codes.of(error) == code
    assert named(error).endswith(f"{kind.__qualname__} {code}")
    assert "lanted" not in traced(error)


def raised(fail: Callable[[], object]) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        fail()
    return caught.value


def as_told(on_sqlite: str, on_postgresql: str) -> str:
    return on_sqlite if connection.vendor == "sqlite" else on_postgresql


def test_what_a_constraint_refused_is_known_by_its_name(db: None, owner: User) -> None:
    again = raised(lambda: User.objects.create_user(owner.username, PLANTED))
    nameless = raised(lambda: User.objects.filter(pk=owner.pk).update(username=None))
    for error, told in (
        (
            again,
            as_told(
                "SQLITE_CONSTRAINT_UNIQUE UNIQUE constraint failed: gas_user.username",
                "23505 gas_user_username_key",
            ),
        ),
        (
            nameless,
            as_told(
                "SQLITE_CONSTRAINT_NOTNULL NOT NULL constraint failed: gas_user.username", "23502"
            ),
        ),
    ):
        assert named(error) == f"django.db.utils.IntegrityError {told}"
        assert Redaction([]).clean(named(error)) == named(error)
        assert PLANTED not in traced(error)


def test_words_that_quote_are_no_code(db: None, owner: User) -> None:
    for words in (f"CHECK constraint failed: {PLANTED}", f"UNIQUE constraint failed: a'{PLANTED}'"):
        error = IntegrityError(words)
        error.__cause__ = sqlite3.IntegrityError(words)
        assert named(error) == "django.db.utils.IntegrityError"


def test_a_code_beside_words_that_are_told_anyway() -> None:
    error = OperationalError("database is locked")
    error.__cause__ = psycopg.errors.LockNotAvailable()
    assert named(error) == "OperationalError 55P03: database is locked"


@pytest.mark.parametrize(
    "error",
    [
        refused_by_aws(PLANTED, status=7),
        refused_by_aws(f"{PLANTED}\nSlowDown", status=99999),
        card_error(PLANTED, PLANTED, PLANTED, http_status=70000),
        SMTPResponseException(9000, PLANTED),
        curl_error(PLANTED),
        ssl.SSLError(1, PLANTED),
        socket.gaierror(-2, PLANTED),
        requests.ConnectionError(PLANTED),
        OSError(PLANTED),
        KeyError(PLANTED),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_has_not_the_form_of_a_code_is_not_told(error: Exception) -> None:
    assert codes.of(error) == ""


def test_a_class_that_nobody_named_tells_nothing_whatever_it_is_called() -> None:
    class Foreign(Exception):
        code = status_code = http_status = sqlstate = "12345"
        response = {"Error": {"Code": "SlowDown"}}

    assert codes.of(Foreign(PLANTED)) == ""
