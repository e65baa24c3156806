"""How the ways to hand over a mail fail, and what becomes of the mail."""

import logging
import smtplib
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta

import pytest
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from django.utils import timezone
from pytest_django import Settings

from gas.mail import MailRefused, MailUnavailable, send
from gas.models import Notice, User
from tests.unit.mail.backends import Failing
from tests.unit.mail.letters import Owe

ADDRESS = "owner@example.org"

#: The exceptions of anymail, which has no types.
api_error: Callable[[str], Exception] = AnymailAPIError
all_refused: Callable[[], Exception] = AnymailRecipientsRefused


def ses(code: str) -> Exception:
    """What anymail raises when SES answers with an error."""
    answer = ClientError({"Error": {"Code": code, "Message": f"not {ADDRESS}"}}, "SendEmail")
    return _from(answer)


def _from(cause: Exception) -> Exception:
    fault = api_error(str(cause))
    fault.__cause__ = cause
    return fault


PASSING: list[Exception] = [
    ses("TooManyRequestsException"),
    ses("LimitExceededException"),
    ses("AccountSuspendedException"),
    ses("SendingPausedException"),
    ses("MailFromDomainNotVerifiedException"),
    ses("AccessDeniedException"),
    ses("500"),
    _from(EndpointConnectionError(endpoint_url="https://email.example.org")),
    _from(ReadTimeoutError(endpoint_url="https://email.example.org")),
    api_error("parsing Amazon SES send result"),
    NoCredentialsError(),
    smtplib.SMTPConnectError(421, b"busy"),
    smtplib.SMTPAuthenticationError(535, b"no"),
    smtplib.SMTPSenderRefused(550, b"not you", "no-reply@example.org"),
    smtplib.SMTPServerDisconnected("gone"),
    smtplib.SMTPRecipientsRefused({ADDRESS: (450, b"greylisted")}),
    smtplib.SMTPDataError(451, b"later"),
    ConnectionRefusedError(111, "refused"),
    ConnectionResetError(104, "reset"),
    TimeoutError("timed out"),
    socket.gaierror(-2, "unknown host"),
    ssl.SSLCertVerificationError("expired"),
]

AMBIGUOUS: list[Exception] = [ses("MessageRejected"), ses("BadRequestException")]

FINAL: list[Exception] = [
    all_refused(),
    smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such user")}),
    smtplib.SMTPDataError(554, b"rejected"),
]


@pytest.fixture
def failing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    settings.EMAIL_BACKEND = "tests.unit.mail.backends.Failing"
    return monkeypatch


def named(fault: Exception) -> str:
    return f"{type(fault).__name__} {fault.__cause__ or fault}"


@pytest.mark.parametrize("fault", PASSING, ids=named)
def test_a_fault_that_passes_leaves_the_mail_owed(
    owe: Owe, failing: pytest.MonkeyPatch, fault: Exception
) -> None:
    failing.setattr(Failing, "fault", fault)
    with pytest.raises(MailUnavailable):
        send(owe(Notice.Kind.COMPLETED))


@pytest.mark.parametrize("fault", FINAL, ids=named)
def test_a_refusal_of_this_mail_is_final(
    owe: Owe, failing: pytest.MonkeyPatch, fault: Exception
) -> None:
    failing.setattr(Failing, "fault", fault)
    with pytest.raises(MailRefused):
        send(owe(Notice.Kind.COMPLETED))


@pytest.mark.parametrize("fault", AMBIGUOUS, ids=named)
def test_a_rejection_by_ses_is_believed_after_a_day_of_the_same_answer(
    owe: Owe, failing: pytest.MonkeyPatch, fault: Exception
) -> None:
    failing.setattr(Failing, "fault", fault)
    notice = owe(Notice.Kind.COMPLETED)
    notice.created_at = timezone.now() - timedelta(hours=23)
    with pytest.raises(MailUnavailable):
        send(notice)
    notice.created_at = timezone.now() - timedelta(hours=25)
    with pytest.raises(MailRefused):
        send(notice)


@pytest.mark.parametrize("fault", [*PASSING, *AMBIGUOUS, *FINAL], ids=named)
def test_no_address_is_in_what_we_raise_or_log(
    owe: Owe,
    failing: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
) -> None:
    failing.setattr(Failing, "fault", fault)
    caplog.set_level(logging.DEBUG)
    with pytest.raises((MailUnavailable, MailRefused)) as raised:
        send(owe(Notice.Kind.COMPLETED))
    logging.getLogger("gas").error("as a worker logs it", exc_info=raised.value)
    assert type(raised.value).__name__ in caplog.text
    assert ADDRESS not in caplog.text


def test_a_fault_of_ours_is_not_taken_for_one_of_the_mail_service(
    owe: Owe, failing: pytest.MonkeyPatch
) -> None:
    failing.setattr(Failing, "fault", KeyError("a defect"))
    with pytest.raises(KeyError):
        send(owe(Notice.Kind.COMPLETED))


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "one@example.org, two@example.org",
        "owner@example.org\nBcc: two@example.org",
        "Owner <owner@example.org>",
        "ówner@example.org",
        "owner@" + "ä" * 63 + ".example.org",
    ],
)
def test_what_is_not_one_address_is_refused_before_anybody_is_asked(
    owe: Owe, failing: pytest.MonkeyPatch, owner: User, address: str
) -> None:
    failing.setattr(Failing, "taken", [])
    User.objects.filter(pk=owner.pk).update(email=address)
    with pytest.raises(MailRefused, match="malformed"):
        send(owe(Notice.Kind.COMPLETED))
    assert Failing.taken == []


def test_an_international_domain_is_written_in_ascii(
    owe: Owe, failing: pytest.MonkeyPatch, owner: User
) -> None:
    failing.setattr(Failing, "taken", [])
    User.objects.filter(pk=owner.pk).update(email="owner@bücher.example.org")
    send(owe(Notice.Kind.COMPLETED))
    assert Failing.taken[0].to == ["owner@xn--bcher-kva.example.org"]


def test_an_owner_without_an_address_is_sent_nothing(
    owe: Owe, failing: pytest.MonkeyPatch, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gas.mail")
    failing.setattr(Failing, "taken", [])
    User.objects.filter(pk=owner.pk).update(email="")
    notice = owe(Notice.Kind.COMPLETED)
    send(notice)
    assert Failing.taken == []
    assert caplog.messages == [
        f"the completed mail of job {notice.job_id} is not sent: its receiver has no address"
    ]
