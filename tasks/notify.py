"""notify: send the mails that are owed to a job's owner."""

import logging
from typing import Any

from celery import Task
from django.conf import settings
from django.db import transaction

from celeryconfig import LEASE
from gas import mail
from gas.models import JobEvent, Notice
from tasks.app import app

logger = logging.getLogger(__name__)

#: How long a mail that failed rests, as a part of the wait of its message. More than half, so that
#: of two messages for it one always finds it resting and ends; less than all, as a timer of SQS may
#: be a moment early.
REST = 0.6


@app.task(bind=True, name="notify")
def notify(self: Task[Any, Any], job_id: int) -> None:
    """Send every mail of the job that nobody has sent or is sending, then write its receipt."""
    taken = Notice.objects.filter(job_id=job_id).take(lease=LEASE)
    if [notice for notice in taken if not _settled(notice)]:
        raise self.retry(countdown=settings.RETRY_AFTER.total_seconds())


def _settled(notice: Notice) -> bool:
    """Send one mail and end what was owed; False when it must be tried again."""
    try:
        mail.send(notice)
    except mail.MailUnavailable as fault:
        logger.warning("the %s is tried again: %s", notice, fault)
        notice.let_go(wake_in=REST * settings.RETRY_AFTER)
        return False
    except mail.MailRefused as refusal:
        _end_undelivered(notice, reason=f"the {notice.kind} mail was refused: {refusal}")
    else:
        notice.record_sent()
    return True


def _end_undelivered(notice: Notice, *, reason: str) -> None:
    """Owe a mail that can never arrive no more, and say so where staff and owner look."""
    logger.error("job %s: %s", notice.job_id, reason)
    status = notice.job.status
    with transaction.atomic():
        JobEvent.objects.create(
            job=notice.job, actor="notify", before=status, after=status, reason=reason
        )
        notice.record_sent()
