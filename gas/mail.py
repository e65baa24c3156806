"""The mails that the service owes to the owners of jobs: completed, failed, restored."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any
from urllib.parse import urlsplit

from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, mail_admins
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from gas.models import Alarm, Job, Notice, Status, Upload, User

logger = logging.getLogger(__name__)


class MailUnavailable(Exception):
    """The mail service gave no usable answer; the mail is still owed."""


class MailRefused(Exception):
    """This mail will never be delivered, however often it is tried."""


@dataclass(frozen=True)
class Wording:
    """What a mail of one kind says first, and what its button says."""

    headline: str
    button: str


WORDINGS = {
    Notice.Kind.COMPLETED: Wording("Your results are ready", "Open the results"),
    Notice.Kind.FAILED: Wording("Your job could not be completed", "Open the job"),
    Notice.Kind.RESTORED: Wording("Your results are back", "Open the results"),
}

#: How the ways to hand over a mail fail: SES through anymail, SES's client, SMTP, the network.
FAULTS = (
    AnymailAPIError,
    AnymailRecipientsRefused,
    BotoCoreError,
    ClientError,
    SMTPException,
    OSError,
)

#: SES's answers that may be about this one mail; every other one passes, or is mended by staff.
#: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
SES_REFUSALS = frozenset({"BadRequestException", "MessageRejected"})

#: How old a mail is before such an answer is believed: SES says the same of a sender that staff
#: have yet to verify, and those mails must not be lost.
PATIENCE = timedelta(days=1)

LONGEST_NAME = 80


def send(notice: Notice) -> None:
    """Send the mail of a notice; an owner without an address is sent nothing.

    Raises MailUnavailable when it is still owed, MailRefused when it never can be sent.
    """
    job = Job.objects.select_related("owner__plan", "upload").get(pk=notice.job_id)
    if not job.owner.email:
        logger.info("the %s is not sent: its owner has no address", notice)
        return
    if notice.told is None:
        notice.fix(_as_it_is(job))
    message = compose(notice, job)
    try:
        message.send()
    except FAULTS as fault:
        is_old = notice.created_at < timezone.now() - PATIENCE
        # Without its cause: what the service says may hold the address.
        raise _translated(fault, is_old=is_old) from None


def tell_staff(alarms: list[Alarm]) -> None:
    """Send `GAS_ADMINS` one mail about these alarms; raises MailUnavailable."""
    count = f"{len(alarms)} alarm{'' if len(alarms) == 1 else 's'}"
    lines = [f"{alarm.raised_at:%Y-%m-%d %H:%M} {one_line(alarm.text)}" for alarm in alarms]
    page = settings.BASE_URL + reverse("admin:gas_alarm_changelist")
    try:
        mail_admins(count, "\n\n".join([*lines, page]))
    except FAULTS as fault:
        raise MailUnavailable(type(fault).__name__) from None


def _as_it_is(job: Job) -> dict[str, Any]:
    """What changes about a job: whether its results are at hand, until when, on what plan."""
    return {
        "at_hand": job.state is Status.COMPLETED,
        "due": _in_words(job.due_at),
        "archives": job.owner.plan.archives,
    }


def compose(notice: Notice, job: Job) -> EmailMultiAlternatives:
    """Write the mail of a notice, in text and HTML, the same each time it is asked."""
    told = notice.told or _as_it_is(job)
    kind = Notice.Kind(notice.kind)
    name = one_line(job.name, LONGEST_NAME)
    subject = f"{WORDINGS[kind].headline}: {name}"
    content = {
        "subject": subject,
        "kind": kind,
        "wording": WORDINGS[kind],
        "paragraphs": _paragraphs(kind, job, name, told),
        "quote": one_line(job.failure) if kind is Notice.Kind.FAILED else "",
        "facts": _facts(job, name, told),
        "link": settings.BASE_URL + reverse("job", args=[job.pk]),
        "subscribe": settings.BASE_URL + reverse("subscription") if _may_lose(kind, told) else "",
        "site": settings.BASE_URL,
        "job": job,
    }
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string("mail/base.txt", content).strip() + "\n",
        to=[_recipient(job.owner)],
        headers=_headers(notice),
    )
    message.attach_alternative(render_to_string("mail/base.html", content), "text/html")
    return message


def _may_lose(kind: Notice.Kind, told: dict[str, Any]) -> bool:
    """Whether these results move to the archive unless their owner subscribes."""
    return kind is not Notice.Kind.FAILED and told["archives"]


def one_line(text: str, longest: int | None = None) -> str:
    """Make hostile text harmless in a header or a sentence: printable, on one line, bounded."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1]}…"


def _recipient(user: User) -> str:
    """The address in the ASCII form that every mail service takes."""
    try:
        validate_email(user.email)
        local_part, _, domain = user.email.rpartition("@")
        return f"{local_part}@{domain.encode('idna').decode()}"
    except (ValidationError, UnicodeError):
        raise MailRefused("its owner's address is malformed") from None


def _headers(notice: Notice) -> dict[str, str]:
    """Headers by which a repeat is known for one, and the mails of a job for one conversation."""
    host = urlsplit(settings.BASE_URL).hostname
    return {
        "Message-ID": f"<{notice.kind}.{notice.job_id}.{notice.attempt}@{host}>",
        "References": f"<job.{notice.job_id}@{host}>",
        "Date": format_datetime(notice.created_at),
        "Auto-Submitted": "auto-generated",
    }


def _paragraphs(kind: Notice.Kind, job: Job, name: str, told: dict[str, Any]) -> list[str]:
    """The sentences of one kind of mail, written once for text and HTML.

    They are joined from lines of a template that escapes nothing, so whoever shows them must.
    """
    content = {
        "name": name,
        "file_is_at_fault": job.upload.status == Upload.Status.REFUSED,
        "job": job,
        **told,
    }
    blocks = render_to_string(f"mail/{kind}.txt", content).split("\n\n")
    return [line for line in map(one_line, blocks) if line]


def _facts(job: Job, name: str, told: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("Job", f"{job.pk}, {name}"),
        ("File", one_line(job.upload.filename, LONGEST_NAME)),
        ("Variants", "" if job.variants is None else intcomma(job.variants)),
        ("Finished", _in_words(job.completed_at)),
        ("Available until", told["due"]),
    ]
    return [(label, value) for label, value in facts if value]


def _in_words(moment: datetime | None) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC" if moment else ""


def _translated(fault: Exception, *, is_old: bool) -> MailUnavailable | MailRefused:
    """Our word for a fault, by its class and code; never by its text, which may hold addresses."""
    cause = (fault.__cause__ if isinstance(fault, AnymailAPIError) else None) or fault
    said, is_final = type(cause).__name__, isinstance(cause, AnymailRecipientsRefused)
    match cause:
        case ClientError():
            code = cause.response["Error"]["Code"]
            said, is_final = f"SES {code}", is_old and code in SES_REFUSALS
        case SMTPRecipientsRefused():
            replies = {reply for reply, _ in cause.recipients.values()}
            said, is_final = f"{said} {replies}", min(replies) >= 500
        case SMTPDataError():
            said, is_final = f"{said} {cause.smtp_code}", cause.smtp_code >= 500
        case SMTPResponseException():
            said = f"{said} {cause.smtp_code}"
    return MailRefused(said) if is_final else MailUnavailable(said)
