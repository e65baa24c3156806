"""The moment between a mail and its receipt: a worker that dies there, and what its reader gets."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.core import mail as outbox
from django.db.models import F

from gas.models import Job, Notice, Status
from tasks.notify import notify
from tests.seams.fate import Fate, Killed
from tests.unit.mail.letters import Owe

Outbox = list[outbox.EmailMultiAlternatives]


def killed_before(statement: int, notice: Notice) -> bool:
    """Run notify in a worker that dies before this change of the database; whether it did."""
    try:
        with Fate().dying_before(statement):
            notify(notice.job_id)
    except Killed:
        return True
    return False


def the_lease_runs_out() -> None:
    Notice.objects.update(lease_until=F("lease_until") - timedelta(hours=1))


def as_bytes(mails: Outbox) -> set[bytes]:
    return {mail.message().as_bytes().split(b"boundary=")[0] for mail in mails}


@pytest.mark.parametrize("statement", [0, 1])
def test_a_worker_that_dies_before_it_sends_has_sent_nothing(
    owe: Owe, mailoutbox: Outbox, statement: int
) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    assert killed_before(statement, notice)
    assert mailoutbox == []
    the_lease_runs_out()
    notify(notice.job_id)
    notify(notice.job_id)
    assert len(mailoutbox) == 1


def test_a_worker_that_dies_between_mail_and_receipt_has_its_mail_repeated_under_the_same_id(
    owe: Owe, mailoutbox: Outbox
) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    assert killed_before(2, notice)
    assert len(mailoutbox) == 1
    notify(notice.job_id)  # redelivered while the dead worker's lease stands
    assert len(mailoutbox) == 1
    the_lease_runs_out()
    for _ in range(3):
        notify(notice.job_id)
    ids = [message_from_bytes(m.message().as_bytes())["Message-ID"] for m in mailoutbox]
    assert ids == 2 * [f"<completed.{notice.job_id}.1@gas.example.org>"]
    assert len(as_bytes(mailoutbox)) == 1
    assert not Notice.objects.unsent().exists()


def test_the_window_closes_with_the_receipt(owe: Owe, mailoutbox: Outbox) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    assert not killed_before(3, notice)
    the_lease_runs_out()
    notify(notice.job_id)
    assert len(mailoutbox) == 1


def test_a_repeat_keeps_its_id_and_its_words_whatever_became_of_the_job_meanwhile(
    owe: Owe, mailoutbox: Outbox
) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    assert killed_before(2, notice)
    Job.objects.update(
        status=Status.ARCHIVED, archived_at=F("completed_at"), wake_at=None, attempt=2
    )
    the_lease_runs_out()
    notify(notice.job_id)
    parsed = [message_from_bytes(m.message().as_bytes(), policy=policy.default) for m in mailoutbox]
    assert len({(mail["Message-ID"], mail["Date"]) for mail in parsed}) == 1
    assert len({(mail.body, str(mail.alternatives)) for mail in mailoutbox}) == 1
    assert len(parsed) == 2


@pytest.mark.parametrize("kind", [Notice.Kind.FAILED, Notice.Kind.RESTORED])
def test_mails_of_one_job_and_its_attempts_have_ids_of_their_own(
    owe: Owe, mailoutbox: Outbox, kind: Notice.Kind
) -> None:
    notice = owe(kind)
    Notice.objects.create(job=notice.job, kind=kind, attempt=2)
    notify(notice.job_id)
    ids = {message_from_bytes(m.message().as_bytes())["Message-ID"] for m in mailoutbox}
    assert len(ids) == len(mailoutbox) == 2
