"""The task that sends what is owed, with a mail service that fails as the test wants."""

import logging
import smtplib
from datetime import timedelta

import pytest
from celery.exceptions import Retry
from django.utils import timezone
from pytest_django import Settings

from gas.mail import MailUnavailable
from gas.models import JobEvent, Notice
from tasks.notify import notify
from tasks.stuck import stranded_notices
from tests.unit.mail.backends import Failing
from tests.unit.mail.letters import Owe
from tests.unit.mail.test_faults import ses


@pytest.fixture(autouse=True)
def failing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    settings.EMAIL_BACKEND = "tests.unit.mail.backends.Failing"
    settings.RETRY_AFTER = timedelta(seconds=30)
    monkeypatch.setattr(Failing, "taken", [])
    return monkeypatch


def read(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


def fresh(notice: Notice) -> Notice:
    Notice.objects.filter(pk=notice.pk).update(created_at=timezone.now())
    return read(notice)


def resting(notice: Notice) -> float:
    """Return the seconds for which nobody takes the notice."""
    until = read(notice).lease_until
    assert until is not None
    return (until - timezone.now()).total_seconds()


def test_a_mail_is_sent_and_its_receipt_written(owe: Owe) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    notify(notice.job_id)
    assert len(Failing.taken) == 1
    assert read(notice).sent_at is not None


def test_a_redelivered_message_sends_no_second_mail(owe: Owe) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    notify(notice.job_id)
    notify(notice.job_id)
    assert len(Failing.taken) == 1


def test_a_mail_that_another_worker_is_sending_is_left_to_it(owe: Owe) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    assert notice.take(worker="another", lease=timedelta(minutes=1))
    notify(notice.job_id)
    assert Failing.taken == []
    assert read(notice).sent_at is None


def test_a_mail_behind_a_slow_one_is_leased_when_its_turn_comes(owe: Owe) -> None:
    owe(Notice.Kind.COMPLETED)
    last = owe(Notice.Kind.COMPLETED)
    lease = timedelta(minutes=1)
    next(Notice.objects.order_by("pk").take(worker="slow", lease=lease))
    assert read(last).take(worker="another", lease=lease)


def test_a_sender_that_was_given_up_ends_nobody_elses_lease(owe: Owe) -> None:
    notice = owe(Notice.Kind.COMPLETED)
    lease = timedelta(minutes=1)
    [late] = Notice.objects.take(worker="late", lease=-lease)
    assert notice.take(worker="another", lease=lease)
    late.let_go(wake_in=timedelta(0))
    assert not read(notice).take(worker="a third", lease=lease)


def test_an_unavailable_service_is_tried_again_and_the_mail_still_owed(
    owe: Owe, failing: pytest.MonkeyPatch
) -> None:
    failing.setattr(Failing, "fault", ses("TooManyRequestsException"))
    notice = owe(Notice.Kind.COMPLETED)
    with pytest.raises(Retry):
        notify(notice.job_id)
    assert read(notice).sent_at is None


def test_a_mail_that_failed_rests_so_that_a_second_message_for_it_ends(
    owe: Owe, failing: pytest.MonkeyPatch
) -> None:
    failing.setattr(Failing, "fault", ses("TooManyRequestsException"))
    notice = fresh(owe(Notice.Kind.COMPLETED))
    with pytest.raises(Retry):
        notify(notice.job_id)
    notify(notice.job_id)
    assert not stranded_notices().filter(pk=notice.pk).exists()
    assert 15 < resting(notice) < 30


@pytest.mark.parametrize(("hours", "rest"), [(0, 18), (0.5, 270), (1, 540), (240, 540)])
def test_tries_get_rarer_the_longer_a_mail_is_owed(
    owe: Owe, failing: pytest.MonkeyPatch, hours: float, rest: float
) -> None:
    failing.setattr(Failing, "fault", ses("TooManyRequestsException"))
    notice = owe(Notice.Kind.COMPLETED)
    Notice.objects.update(created_at=timezone.now() - timedelta(hours=hours))
    with pytest.raises(Retry):
        notify(notice.job_id)
    assert resting(notice) == pytest.approx(rest, abs=2)


def test_a_mail_that_has_rested_is_sent(owe: Owe, failing: pytest.MonkeyPatch) -> None:
    failing.setattr(Failing, "fault", ses("TooManyRequestsException"))
    notice = owe(Notice.Kind.COMPLETED)
    with pytest.raises(Retry):
        notify(notice.job_id)
    failing.setattr(Failing, "fault", None)
    Notice.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    notify(notice.job_id)
    assert len(Failing.taken) == 1


def test_a_failing_mail_does_not_hold_up_the_next(owe: Owe, failing: pytest.MonkeyPatch) -> None:
    first = owe(Notice.Kind.COMPLETED)
    second = Notice.objects.create(job=first.job, kind=Notice.Kind.RESTORED, attempt=2)
    refused_once = iter([MailUnavailable("busy"), None])

    def send(_notice: Notice) -> None:
        if fault := next(refused_once):
            raise fault

    failing.setattr("gas.mail.send", send)
    with pytest.raises(Retry):
        notify(first.job_id)
    assert read(first).sent_at is None
    assert read(second).sent_at is not None


def test_a_refused_mail_is_owed_no_more_and_said_to_be_refused(
    owe: Owe, failing: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing.setattr(Failing, "fault", smtplib.SMTPDataError(554, b"no"))
    notice = owe(Notice.Kind.FAILED)
    notify(notice.job_id)
    assert read(notice).sent_at is not None
    reason = "the failed mail was refused: SMTPDataError 554"
    assert [
        record.getMessage() for record in caplog.records if record.levelno == logging.ERROR
    ] == [f"job {notice.job_id}: {reason}"]
    event = JobEvent.objects.get(job=notice.job_id)
    assert (event.actor, event.before, event.after) == ("notify", "failed", "failed")
    assert event.reason == reason
