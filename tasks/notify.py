"""notify: send the mails that are owed, about one job or about subscriptions."""

import logging
from datetime import timedelta
from typing import Any

from celery import Task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from celeryconfig import LEASE
from gas import mail, metrics
from gas.models import AccountEvent, JobEvent, Notice
from tasks.app import app
from tasks.delays import LONGEST_TIMER
from tasks.leases import name_of

logger = logging.getLogger(__name__)

#: How long a mail that failed rests, as a part of the wait of its message. More than half, so that
#: of two messages for it one always finds it resting and ends; less than all, as a timer of SQS may
#: be a moment early.
REST = 0.6


@app.task(bind=True, name="notify")
def notify(self: Task[Any, Any], job_id: int | None = None) -> None:
    """Send every mail of the job that nobody has sent or is sending, then write its receipt.

    Without a job: those that are about none but about subscriptions.
    """
    about = {"job_id": job_id} if job_id else {"job": None}
    worker = name_of(self.name, self.request.id)
    taken = Notice.objects.filter(**about).take(worker=worker, lease=LEASE)
    waits = [wait for notice in taken if (wait := _settle(notice)) is not None]
    if waits:
        raise self.retry(countdown=min(waits).total_seconds())


def _settle(notice: Notice) -> timedelta | None:
    """Send one mail and end what was owed; returns when to try again if that must be."""
    try:
        mail.send(notice)
    except Notice.DoesNotExist:
        logger.info("the %s is owed no more: what it is about was deleted", notice)
    except mail.MailUnavailable as fault:
        metrics.count(metrics.MAILS, outcome="put off")
        logger.warning("the %s is tried again: %s", notice, fault)
        wait = _wait_for(notice)
        notice.let_go(wake_in=REST * wait)
        return wait
    except mail.MailRefused as refusal:
        metrics.count(metrics.MAILS, outcome="refused")
        _end_undelivered(notice, reason=f"the {notice.kind} mail was refused: {refusal}")
    else:
        notice.record_sent()
        metrics.count(metrics.MAILS, outcome="settled")
    return None


def _wait_for(notice: Notice) -> timedelta:
    """The longer a mail is owed, the longer: a long outage is no storm of tries."""
    age = timezone.now() - notice.created_at
    return min(max(settings.RETRY_AFTER, age / 4), timedelta(seconds=LONGEST_TIMER))


def _end_undelivered(notice: Notice, *, reason: str) -> None:
    """Owe a mail that can never arrive no more, and say so where staff and owner look."""
    about = f"job {notice.job_id}" if notice.job else f"account {notice.receiver.pk}"
    logger.error("%s: %s", about, reason)
    with transaction.atomic():
        _write_down(notice, reason)
        notice.record_sent()


def _write_down(notice: Notice, reason: str) -> None:
    if notice.job:
        status = notice.job.status
        JobEvent.objects.create(
            job=notice.job, actor="notify", before=status, after=status, reason=reason
        )
    else:
        AccountEvent.objects.create(account=notice.receiver, actor="notify", what=reason)
