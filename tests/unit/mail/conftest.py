"""Jobs that have come to an end, and what their owners are owed."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as outbox
from pytest_django import Settings

from gas.mail import send
from gas.models import Job, Notice, Status, Upload, User
from tests.unit.mail.letters import Letter, Owe

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def address_of_the_site(settings: Settings) -> None:
    """The address that links lead to."""
    settings.BASE_URL = "https://gas.example.org"


@pytest.fixture
def owe(owner: User) -> Owe:
    """Owe a mail of a kind about a new job."""

    def write(kind: Notice.Kind, *, filename: str = "cohort.vcf", **columns: Any) -> Notice:
        refused = kind is Notice.Kind.FAILED
        upload = Upload.objects.create(
            owner=columns.pop("owner", owner),
            filename=filename,
            status=Upload.Status.REFUSED if refused else Upload.Status.COMPLETE,
            refusal="Not a VCF." if refused else "",
            size=1,
        )
        usual: dict[str, Any] = {
            "name": "Cohort 7",
            "status": Status.FAILED if refused else Status.COMPLETED,
            "failure": "Not a VCF." if refused else "",
            "wake_at": None if refused else NOON + timedelta(minutes=5),
            "variants": None if refused else 12_345,
            "result_prefix": "results/1/1/",
            "completed_at": NOON,
            "attempt": 1,
        }
        job = Job.objects.create(owner=upload.owner, upload=upload, **(usual | columns))
        return Notice.objects.create(job=job, kind=kind, attempt=job.attempt, created_at=NOON)

    return write


@pytest.fixture
def letter(mailoutbox: list[outbox.EmailMultiAlternatives]) -> Letter:
    """Send a notice and read the mail as its receiver's program does."""

    def read(notice: Notice) -> EmailMessage:
        send(notice)
        arrived = message_from_bytes(mailoutbox[-1].message().as_bytes(), policy=policy.default)
        assert isinstance(arrived, EmailMessage)
        return arrived

    return read
