"""The mails that the service owes to the owners of jobs."""

from gas.models import Notice


class MailUnavailable(Exception):
    """The mail service gave no usable answer; the mail is still owed."""


def send(notice: Notice) -> None:
    """Send the mail of a notice, or raise MailUnavailable."""
