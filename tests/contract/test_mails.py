"""A job's mail goes out by SES and by SMTP, and what of it arrives."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from django.utils import timezone
from pytest_django import Settings

from dev.children import free_port
from dev.local_aws import LocalAws
from gas.mail import MailRefused, MailUnavailable, send
from gas.models import Job, Notice, Status, Upload, User
from tests.contract.scripted import s3_error, scripted
from tests.contract.smtp import PostOffice

LINK = "https://gas.example.org/jobs/"


@pytest.fixture(autouse=True)
def our_site(settings: Settings) -> None:
    """The address that links lead to; SES unless a test says otherwise, as in production."""
    settings.BASE_URL = "https://gas.example.org"
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"


@pytest.fixture
def notice(owner: User) -> Notice:
    """The mail about a job that has just been completed."""
    upload = Upload.objects.create(owner=owner, filename="cohort.vcf")
    job = Job.objects.create(
        owner=owner,
        upload=upload,
        name="Когорта <7>",
        status=Status.COMPLETED,
        completed_at=timezone.now(),
        result_prefix="results/1/1/",
        variants=12_345,
        attempt=1,
    )
    job.owe(Notice.Kind.COMPLETED)
    return job.notices.get()


@pytest.fixture
def post_office(settings: Settings) -> Iterator[PostOffice]:
    """A mail server of one's own, in place of SES."""
    with PostOffice() as office:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", office.port
        settings.EMAIL_TIMEOUT = 60
        thread = threading.Thread(target=office.serve_forever, args=(0.02,))
        thread.start()
        yield office
        office.shutdown()
        thread.join()


def test_ses_delivers_both_parts_and_the_subject(aws: LocalAws, notice: Notice) -> None:
    send(notice)
    arrived = aws.mails()[-1]
    assert arrived.to == ["owner@example.org"]
    assert arrived.subject == "Your results are ready: Когорта <7>"
    assert f"{LINK}{notice.job_id}/" in arrived.text
    assert f'href="{LINK}{notice.job_id}/"' in arrived.html
    assert "Когорта &lt;7&gt;" in arrived.html


def test_a_sender_that_ses_does_not_know_yet_leaves_the_mail_owed_for_a_day(
    aws: LocalAws, notice: Notice, settings: Settings
) -> None:
    settings.DEFAULT_FROM_EMAIL = "GAS <unverified@elsewhere.example.org>"
    with pytest.raises(MailUnavailable, match="SES MessageRejected"):
        send(notice)
    notice.created_at -= timedelta(days=2)
    with pytest.raises(MailRefused, match="SES MessageRejected"):
        send(notice)


def test_ses_that_is_away_is_asked_once_and_leaves_the_mail_owed(
    aws: LocalAws, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(s3_error(503, "SlowDown")) as ses:
        monkeypatch.setenv("AWS_ENDPOINT_URL", ses.endpoint)
        with pytest.raises(MailUnavailable, match="SES"):
            send(notice)
    assert len(ses.requests) == 1
    with pytest.raises(MailUnavailable, match="EndpointConnectionError"):  # there is nobody now
        send(notice)


def test_smtp_delivers_the_mail_with_its_own_message_id(
    post_office: PostOffice, notice: Notice
) -> None:
    send(notice)
    (delivered,) = post_office.delivered
    arrived = message_from_bytes(delivered.content, policy=policy.default)
    assert isinstance(arrived, EmailMessage)
    assert (delivered.sender, delivered.receivers) == (
        "no-reply@example.org",
        ["owner@example.org"],
    )
    assert arrived["Message-ID"] == f"<completed.{notice.job_id}.1@gas.example.org>"
    assert arrived["Subject"] == "Your results are ready: Когорта <7>"
    assert [part.get_content_type() for part in arrived.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
def test_a_mail_server_that_refuses_for_good_ends_the_mail(
    post_office: PostOffice, notice: Notice, verb: str
) -> None:
    post_office.refusals = {verb: 550}
    with pytest.raises(MailRefused):
        send(notice)
    assert post_office.delivered == []


@pytest.mark.parametrize(
    ("verb", "code"), [("RCPT", 450), ("DATA", 451), ("MAIL", 550), ("EHLO", 421)]
)
def test_a_mail_server_that_refuses_for_now_leaves_the_mail_owed(
    post_office: PostOffice, notice: Notice, verb: str, code: int
) -> None:
    post_office.refusals = {verb: code, "HELO": code} if verb == "EHLO" else {verb: code}
    with pytest.raises(MailUnavailable):
        send(notice)


def test_a_mail_server_that_is_away_leaves_the_mail_owed(
    post_office: PostOffice, notice: Notice, settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    with pytest.raises(MailUnavailable, match="ConnectionRefusedError"):
        send(notice)
