"""Reading a mail as its receiver's program does."""

from collections.abc import Callable
from email.message import EmailMessage

from django.core import signing

from gas.models import DeclinedTopic, Notice, Topic, User

#: The kinds of mails that are about one job.
ABOUT_JOBS = [
    Notice.Kind.COMPLETED,
    Notice.Kind.FAILED,
    Notice.Kind.RESTORED,
    Notice.Kind.LAST_CALL,
]

Owe = Callable[..., Notice]
Letter = Callable[[Notice], EmailMessage]


def declining_signature(user: User, topic: Topic = Topic.FAILED) -> str:
    """The last part of the address that declines mails."""
    return signing.Signer(salt=DeclinedTopic.SALT).sign_object([user.pk, topic.value])


def text_of(letter: EmailMessage) -> str:
    """Return the text part, unwrapped."""
    return " ".join(_part(letter, "plain").split())


def html_of(letter: EmailMessage) -> str:
    """Return the HTML part."""
    return _part(letter, "html")


def _part(letter: EmailMessage, subtype: str) -> str:
    body = letter.get_body((subtype,))
    assert isinstance(body, EmailMessage)
    content: str = body.get_content()
    return content
