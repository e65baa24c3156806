"""Handing over the mails that the service owes: to owners of jobs, to subscribers, to staff."""

import logging
from datetime import timedelta
from email.utils import format_datetime
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from urllib.parse import urlsplit

from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, mail_admins
from django.core.validators import validate_email
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone

from gas import letters
from gas.letters import one_line
from gas.models import Alarm, Notice, User

logger = logging.getLogger(__name__)


class MailUnavailable(Exception):
    """The mail service gave no usable answer; the mail is still owed."""


class MailRefused(Exception):
    """This mail will never be delivered, however often it is tried."""


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

#: What a mail is about, and to whom it goes.
ABOUT = ("job__owner__plan", "job__upload", "subscription__user__plan", "webhook__owner__plan")


def send(notice: Notice) -> None:
    """Send the mail of a notice; who has no address, or wants no such mails, is sent nothing.

    Raises MailUnavailable when it is still owed, MailRefused when it never can be sent.
    """
    whole = Notice.objects.select_related(*ABOUT).get(pk=notice.pk)
    if reason := _reason_against(whole):
        logger.info("the %s is not sent: %s", notice, reason)
        return
    if whole.told is None:
        whole.fix(letters.as_it_is(whole))
    message = _message(whole)
    try:
        message.send()
    except FAULTS as fault:
        is_old = notice.created_at < timezone.now() - PATIENCE
        # Without its cause: what the service says may hold the address.
        raise _translated(fault, is_old=is_old) from None


def _reason_against(notice: Notice) -> str:
    receiver, job = notice.receiver, notice.job
    if not receiver.email:
        return "its receiver has no address"
    if receiver.declined_topics.filter(topic=notice.topic).exists():
        return "its receiver has declined such mails"
    if notice.kind == Notice.Kind.LAST_CALL and (job is None or job.due_at is None):
        return "it is too late, or no longer true"
    return ""


def tell_staff(alarms: list[Alarm]) -> None:
    """Send `GAS_ADMINS` one mail about these alarms; raises MailUnavailable."""
    count = f"{len(alarms)} alarm{pluralize(len(alarms))}"
    lines = [f"{alarm.raised_at:%Y-%m-%d %H:%M} {one_line(alarm.text)}" for alarm in alarms]
    page = settings.BASE_URL + reverse("admin:gas_alarm_changelist")
    try:
        mail_admins(count, "\n\n".join([*lines, page]))
    except FAULTS as fault:
        raise MailUnavailable(type(fault).__name__) from None


def _message(notice: Notice) -> EmailMultiAlternatives:
    letter = letters.compose(notice)
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        to=[_recipient(notice.receiver)],
        headers=_headers(notice),
    )
    message.attach_alternative(letter.html, "text/html")
    return message


def _recipient(user: User) -> str:
    """The address in the ASCII form that every mail service takes."""
    try:
        validate_email(user.email)
        local_part, _, domain = user.email.rpartition("@")
        return f"{local_part}@{domain.encode('idna').decode()}"
    except (ValidationError, UnicodeError):
        raise MailRefused("its owner's address is malformed") from None


def _headers(notice: Notice) -> dict[str, str]:
    """Headers by which a repeat is known for one, mails about one thing for a conversation.

    And by which a mail program offers to decline such mails at once (RFC 8058).
    """
    host = urlsplit(settings.BASE_URL).hostname
    number = notice.job_id or notice.subject
    conversation = f"job.{number}" if notice.job_id else number
    kind = notice.kind.replace(" ", "-")
    return {
        "Message-ID": f"<{kind}.{number}.{notice.attempt}@{host}>",
        "References": f"<{conversation}@{host}>",
        "Date": format_datetime(notice.created_at),
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{letters.decline_link(notice)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


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
