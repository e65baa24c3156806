"""Ways to hand over mail that fail as the real ones do."""

from collections.abc import Iterable, Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class Failing(BaseEmailBackend):
    """Raise what the test chose; without a choice, take the mail."""

    fault: Exception | None = None
    taken: list[EmailMessage] = []

    def send_messages(self, email_messages: Sequence[EmailMessage] | Iterable[EmailMessage]) -> int:
        """Fail, or keep the mails for the test."""
        if Failing.fault is not None:
            raise Failing.fault
        Failing.taken += list(email_messages)
        return len(Failing.taken)
