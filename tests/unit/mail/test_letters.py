"""What the mails say."""

import pytest

from gas.models import Notice, Status, Upload, User
from tests.unit.mail.letters import ABOUT_JOBS, Letter, Owe, html_of, text_of

EVERY_KIND = pytest.mark.parametrize("kind", ABOUT_JOBS)


@EVERY_KIND
def test_a_mail_has_a_text_and_an_html_part_that_both_link_to_the_job(
    owe: Owe, letter: Letter, kind: Notice.Kind
) -> None:
    notice = owe(kind)
    arrived = letter(notice)
    link = f"https://gas.example.org/jobs/{notice.job_id}/"
    assert arrived.get_content_type() == "multipart/alternative"
    assert link in text_of(arrived)
    assert f'href="{link}"' in html_of(arrived)


@EVERY_KIND
def test_a_mail_goes_to_the_owner_and_names_the_job_in_its_subject(
    owe: Owe, letter: Letter, kind: Notice.Kind
) -> None:
    arrived = letter(owe(kind))
    assert arrived["To"] == "owner@example.org"
    assert arrived["Subject"].endswith(": Cohort 7")


@EVERY_KIND
def test_text_and_html_say_the_same(owe: Owe, letter: Letter, kind: Notice.Kind) -> None:
    arrived = letter(owe(kind))
    html = " ".join(html_of(arrived).split())
    for sentence in text_of(arrived).partition(" Open the ")[0].split(". ")[1:]:
        assert sentence.rstrip(".") in html


def test_a_completed_mail_tells_the_count_the_last_day_and_how_to_keep_the_results(
    owe: Owe, letter: Letter
) -> None:
    said = text_of(letter(owe(Notice.Kind.COMPLETED)))
    assert "Variants: 12,345" in said
    assert "can be downloaded until 4 May 2026, 12:05 UTC. Then they move to the archive" in said
    assert "To keep them, download them before then, or subscribe" in said
    assert "Subscribe: https://gas.example.org/subscription/" in said


def test_a_subscriber_is_told_of_no_last_day(owe: Owe, letter: Letter, subscriber: User) -> None:
    said = text_of(letter(owe(Notice.Kind.COMPLETED, owner=subscriber, wake_at=None)))
    assert "for as long as you are subscribed" in said
    assert "archive" not in said
    assert "Subscribe:" not in said


def test_a_free_owner_whose_results_have_no_last_day_yet_is_promised_nothing(
    owe: Owe, letter: Letter
) -> None:
    said = text_of(letter(owe(Notice.Kind.COMPLETED, wake_at=None)))
    assert "its results are ready. Open the results" in said


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ("free", "moved to the archive since. When you subscribe, they are brought back."),
        ("premium", "on their way back from the archive"),
    ],
)
def test_a_mail_that_comes_late_tells_where_the_results_are_now(
    owe: Owe, letter: Letter, owner: User, plan: str, sentence: str
) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    User.objects.filter(pk=owner.pk).update(plan=plan)
    job = notice.job
    assert job
    job.status, job.archived_at, job.wake_at = Status.ARCHIVED, job.completed_at, None
    job.save()
    assert sentence in text_of(letter(notice))


def test_a_mail_about_a_refused_file_gives_the_reason_and_asks_to_correct_it(
    owe: Owe, letter: Letter
) -> None:
    arrived = letter(owe(Notice.Kind.FAILED, failure="Line 12: the position is not a number."))
    assert "Line 12: the position is not a number." in text_of(arrived)
    assert "Line 12: the position is not a number." in html_of(arrived)
    assert "Please correct the file" in text_of(arrived)


def test_a_mail_about_a_fault_of_ours_does_not_blame_the_file(owe: Owe, letter: Letter) -> None:
    notice = owe(Notice.Kind.FAILED, failure="The annotation broke down on our side.")
    Upload.objects.update(status=Upload.Status.COMPLETE, refusal="")
    said = text_of(letter(notice))
    assert "Your file is not to blame" in said
    assert "correct the file" not in said


def test_a_restored_mail_tells_that_the_results_are_back(owe: Owe, letter: Letter) -> None:
    arrived = letter(owe(Notice.Kind.RESTORED))
    assert arrived["Subject"].startswith("Your results are back")
    assert "are back from the archive" in text_of(arrived)


def test_a_repeated_mail_is_the_same_to_the_last_byte(owe: Owe, letter: Letter) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    first, second = letter(notice), letter(notice)
    assert first.items() != []
    for header in ("Message-ID", "References", "Date", "Subject", "From", "To"):
        assert first[header] == second[header]
    assert (text_of(first), html_of(first)) == (text_of(second), html_of(second))


def test_the_message_id_is_made_of_kind_job_and_attempt(owe: Owe, letter: Letter) -> None:
    notice = owe(Notice.Kind.RESTORED, attempt=7)
    arrived = letter(notice)
    assert arrived["Message-ID"] == f"<restored.{notice.job_id}.7@gas.example.org>"
    assert arrived["References"] == f"<job.{notice.job_id}@gas.example.org>"
    assert arrived["Auto-Submitted"] == "auto-generated"


def test_the_mail_is_dated_by_what_it_tells_about(owe: Owe, letter: Letter) -> None:
    assert letter(owe(Notice.Kind.FAILED))["Date"] == "Mon, 04 May 2026 12:00:00 +0000"
