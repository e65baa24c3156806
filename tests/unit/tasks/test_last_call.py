"""Owners are told once before results move to the archive."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail as outbox
from django.db.models import F
from django.db.models.functions import Now

from gas.models import Job, Notice, Status, User
from tasks import last_call
from tasks.notify import notify
from tests.unit.domain.rows import job_in

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of the jobs for whose mails a message was sent."""
    ids: list[int] = []
    monkeypatch.setattr(notify, "delay", ids.append)
    return ids


def kept(owner: User, *, due: timedelta, since: timedelta = 9 * DAY, name: str = "Cohort") -> Job:
    """A job whose results have been at hand for long and move to the archive soon."""
    job = job_in(Status.COMPLETED, owner, wake_at=Now() + due)
    Job.objects.filter(pk=job.pk).update(name=name, completed_at=Now() - since)
    return job


def time_passes(span: timedelta) -> None:
    """Let everything be older."""
    Notice.objects.update(created_at=F("created_at") - span)
    Job.objects.update(wake_at=F("wake_at") - span)


def test_an_owner_is_told_within_the_last_day_and_only_once(sent: list[int], owner: User) -> None:
    job = kept(owner, due=DAY - HOUR)
    assert last_call.call() == 1
    assert last_call.call() == 0
    assert list(Notice.objects.values_list("job", "kind")) == [(job.pk, "last call")]
    assert sent == [job.pk]


@pytest.mark.parametrize(
    ("due", "since"), [(DAY + HOUR, 9 * DAY), (-HOUR, 9 * DAY), (HOUR, HOUR), (HOUR, DAY - HOUR)]
)
def test_nobody_is_told_too_early_too_late_or_right_after_the_mail_of_the_finished_job(
    owner: User, due: timedelta, since: timedelta
) -> None:
    kept(owner, due=due, since=since)
    assert last_call.call() == 0


def test_a_subscriber_is_told_nothing(subscriber: User) -> None:
    kept(subscriber, due=HOUR)
    assert last_call.call() == 0


def test_a_thousand_results_are_one_mail_and_those_of_another_owner_another(
    owner: User, stranger: User, mailoutbox: list[outbox.EmailMessage]
) -> None:
    for number in range(7):
        kept(owner, due=HOUR * (number + 1), name=f"Cohort {number}")
    kept(stranger, due=HOUR, name="Theirs")
    assert last_call.call() == 2
    for notice in Notice.objects.order_by("job__owner"):
        notify(notice.job_id)
    mine, theirs = mailoutbox
    assert mine.subject == "Your results move to the archive soon"
    assert "The results of 7 of your jobs" in " ".join(str(mine.body).split())
    assert "* Cohort 4\n" in mine.body
    assert "Cohort 5" not in mine.body
    assert theirs.subject == "Your results move to the archive soon: Theirs"
    assert "Cohort" not in theirs.body


def test_what_the_mail_spoke_for_is_not_called_again_but_what_goes_later_is(owner: User) -> None:
    kept(owner, due=HOUR)
    kept(owner, due=2 * DAY - HOUR)
    later = kept(owner, due=2 * DAY + HOUR)
    assert last_call.call() == 1
    time_passes(DAY)
    assert last_call.call() == 0
    time_passes(2 * HOUR)
    assert last_call.call() == 1
    assert Notice.objects.latest("pk").job == later


def test_a_call_that_comes_when_results_have_gone_is_not_sent(
    owner: User, mailoutbox: list[outbox.EmailMessage]
) -> None:
    job = kept(owner, due=HOUR)
    last_call.call()
    Job.objects.filter(pk=job.pk).update(wake_at=None)
    notify(job.pk)
    assert mailoutbox == []
    assert not Notice.objects.unsent().exists()


def test_results_that_stay_no_longer_than_the_notice_are_never_called(owner: User) -> None:
    assert settings.FREE_RETENTION < settings.REMIND_BEFORE
    kept(owner, due=settings.FREE_RETENTION, since=timedelta(0))
    assert last_call.call() == 0
