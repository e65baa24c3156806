"""Reading a mail as its receiver's program does."""

from collections.abc import Callable
from email.message import EmailMessage

from gas.models import Notice

Owe = Callable[..., Notice]
Letter = Callable[[Notice], EmailMessage]


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
