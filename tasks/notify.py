"""notify: send the mails that are owed to a job's owner."""

from django.conf import settings

from celeryconfig import LEASE
from gas import mail
from gas.models import Notice
from tasks.app import app
from tasks.delays import DurableTask


@app.task(bind=True, name="notify")
def notify(self: DurableTask, job_id: int) -> None:
    """Send every mail of the job that nobody has sent or is sending, then write its receipt."""
    for notice in Notice.objects.filter(job_id=job_id).take(lease=LEASE):
        try:
            mail.send(notice)
        except mail.MailUnavailable as fault:
            notice.let_go()
            raise self.retry(countdown=settings.RETRY_AFTER.total_seconds()) from fault
        notice.record_sent()
