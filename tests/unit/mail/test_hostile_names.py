"""Names and sentences that try to be more than text."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gas.letters import LONGEST_NAME, one_line
from gas.models import Notice
from tests.unit.mail.letters import ABOUT_JOBS, Letter, Owe, html_of, text_of

SCRIPT = '<script>alert("x")</script>'

INJECTIONS = [
    "x\r\nBcc: victim@example.org",
    "x\nBcc: victim@example.org",
    "x\r\n\r\n<h1>Pay here</h1>",
    "x\u2028Bcc: victim@example.org",
    "x\x01y\x0b\x85z",
    "=?utf-8?q?x?=\r\n Bcc: victim@example.org",
]


@pytest.mark.parametrize("name", INJECTIONS)
def test_a_job_name_cannot_add_a_header(owe: Owe, letter: Letter, name: str) -> None:
    expected = letter(owe(Notice.Kind.COMPLETED)).keys()
    arrived = letter(owe(Notice.Kind.COMPLETED, name=name))
    assert arrived.keys() == expected
    assert arrived["Bcc"] is None
    assert arrived["To"] == "owner@example.org"


def test_a_job_name_cannot_add_a_paragraph_to_the_text(owe: Owe, letter: Letter) -> None:
    arrived = letter(owe(Notice.Kind.COMPLETED, name="x\n\nSend money to us.\n\ny"))
    body = arrived.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    assert "\nSend money" not in body.get_content()
    assert "“x Send money to us. y” has been annotated" in text_of(arrived)


@pytest.mark.parametrize("kind", ABOUT_JOBS)
def test_names_are_text_in_html(owe: Owe, letter: Letter, kind: Notice.Kind) -> None:
    html = html_of(letter(owe(kind, name=SCRIPT, filename=SCRIPT)))
    assert SCRIPT not in html
    assert "&lt;script&gt;" in html


def test_a_reason_that_quotes_the_file_is_text_in_html(owe: Owe, letter: Letter) -> None:
    html = html_of(letter(owe(Notice.Kind.FAILED, failure=f"Contig {SCRIPT} is unknown.")))
    assert SCRIPT not in html
    assert "Contig &lt;script&gt;" in html


def test_names_are_not_escaped_in_text(owe: Owe, letter: Letter) -> None:
    arrived = letter(owe(Notice.Kind.COMPLETED, name="R&D <1>", filename="a&b.vcf"))
    assert "R&D <1>" in text_of(arrived)
    assert "a&b.vcf" in text_of(arrived)
    assert arrived["Subject"] == "Your results are ready: R&D <1>"


def test_a_template_tag_in_a_name_is_text(owe: Owe, letter: Letter) -> None:
    assert "{{ job.owner.email }}" in text_of(
        letter(owe(Notice.Kind.COMPLETED, name="{{ job.owner.email }}"))
    )


def test_a_long_name_is_cut_in_the_subject(owe: Owe, letter: Letter) -> None:
    subject = letter(owe(Notice.Kind.COMPLETED, name="x" * 200))["Subject"]
    assert subject.strip() == "Your results are ready: " + "x" * (LONGEST_NAME - 1) + "…"


def test_a_name_in_another_script_arrives_whole(owe: Owe, letter: Letter) -> None:
    assert letter(owe(Notice.Kind.COMPLETED, name="Исследование 7, β"))["Subject"].endswith(
        "Исследование 7, β"
    )


@given(st.text(st.characters(), max_size=300), st.integers(2, 100))
def test_one_line_is_printable_bounded_and_settled(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert line.isprintable()
    assert len(line) <= longest
    assert one_line(line, longest) == line
    line.encode()
