"""Mail programs know no variables of CSS: the colours stand in the mail, and stay the theme's."""

import re

from django.conf import settings
from django.core.mail import EmailMessage

from gas.models import Notice
from tests.unit.mail.letters import Letter, Owe, html_of

THEME = settings.ROOT / "gas/static/css/theme.css"


def test_the_mail_has_no_colour_that_the_theme_does_not_have(owe: Owe, letter: Letter) -> None:
    used = set(re.findall(r"#[0-9a-f]{3,6}\b", html_of(letter(owe(Notice.Kind.FAILED)))))
    assert len(used) > 10
    assert used - set(re.findall(r"#[0-9a-f]{3,6}\b", THEME.read_text())) == set()


def test_the_mail_loads_nothing(owe: Owe, letter: Letter) -> None:
    html = html_of(letter(owe(Notice.Kind.COMPLETED)))
    assert re.findall(r"src=|url\(|@import|<link|<script|<img", html) == []


def test_no_line_is_longer_than_mail_allows(
    owe: Owe, letter: Letter, mailoutbox: list[EmailMessage]
) -> None:
    letter(owe(Notice.Kind.FAILED, name="<" * 200, failure="ä & < " * 2000))
    assert max(map(len, mailoutbox[0].message().as_bytes().splitlines())) <= 998
