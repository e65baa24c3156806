"""sweep: rows nobody is working on become messages again; on a good day it resends nothing."""

import logging
from collections.abc import Callable

from celery.exceptions import Ignore
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from celeryconfig import QUEUES
from gas import mail
from gas.models import Alarm, Allowance, IdempotencyKey, Job, Notice, Status, Upload
from gas.storage import queues, result_sets
from gas.storage.errors import StorageError
from tasks import (
    announcing,
    depths,
    entitlement,
    last_call,
    leaving,
    measures,
    outbox,
    pipeline,
    presence,
    stuck,
    thawed,
    turns,
    usage,
)
from tasks.alone import alone
from tasks.app import app
from tasks.dead_letters import read_dead_letters
from tasks.notify import notify

logger = logging.getLogger(__name__)

#: Rows of each kind that one sweep looks after; the next sweep takes the next.
MOST = 500

#: What is said of an upload that was given up.
UNSUBMITTED = "The file was not submitted in time. Please upload it again."

#: What may be away while the rest of a sweep can go on: SQS or S3, the broker, the mail service.
AWAY = (StorageError, pipeline.QueueUnavailable, OperationalError, mail.MailUnavailable)

#: The jobs that the messages of each queue are for.
WAITING = {
    "annotate": (Status.QUEUED, Status.RUNNING),
    "archive": (Status.COMPLETED, Status.ARCHIVING),
    "thaw": (Status.ARCHIVED, Status.THAWING),
    "restore": (Status.RESTORING,),
}


@app.task(name="sweep")
def sweep() -> None:
    """Heal, then send again whatever lost its message; one line in the log when there was any."""
    with alone("sweep") as mine:
        if not mine:
            raise Ignore
        for what, errand in ERRANDS.items():
            _done(errand, what)
        found = {what: _done(part, what) for what, part in PARTS.items()}
        depths.note_minute(found)
        measures.tell(found)
        presence.forget_lost()
        Allowance.forget()
        IdempotencyKey.forget()
        usage.count()
    if any(found.values()):
        logger.warning("swept: %s", ", ".join(f"{n} {what}" for what, n in found.items() if n))


def _done(part: Callable[[], int], what: str) -> int:
    try:
        return part()
    except AWAY as error:
        logger.warning("%s have to wait: %s", what, error)
        return 0


def heal_archived_of_subscribers() -> int:
    """Wake archived jobs whose owners are subscribed; they miss what the upgrade did."""
    return stuck.archived_of_subscribers().update(wake_at=Now(), sent_at=None)


def heal_completed_without_date() -> int:
    """Give completed jobs of free users the date they lack since a downgrade."""
    undated = stuck.completed_without_date()
    return undated.update(wake_at=Now() + settings.DOWNGRADE_GRACE, sent_at=None)


def resend() -> int:
    """Send the next message of stranded jobs, who waits longest first."""
    return sum(_resend(task, states) for task, states in WAITING.items())


def _resend(task: str, states: tuple[Status, ...]) -> int:
    """Send as many messages as a queue has lost: none while it is deep and they only wait in it."""
    jobs = stuck.stranded_jobs().filter(status__in=states)
    if not jobs.exists():
        return 0
    awaited = stuck.awaited_jobs().filter(status__in=states).count()
    lost = max(0, awaited - queues.depth(QUEUES[task].url))
    return sum(map(_send_again, jobs[: min(lost, MOST)]))


def _send_again(job: Job) -> bool:
    """Send unless another sweeper has done so since the job was read."""
    mine = Job.objects.filter(stuck.UNSENT_FOR_LONG, pk=job.pk).update(sent_at=Now())
    if mine:
        pipeline.send(job)
    return bool(mine)


def give_turns() -> int:
    """Send for the jobs of every owner that has room."""
    return sum(map(turns.give_everybody, turns.LINES))


def remind() -> int:
    """Send the messages of mails, but no more than their queue has lost: else it grows by them."""
    jobs = stuck.stranded_notices().values_list("job_id", flat=True).distinct()
    if not jobs.exists():
        return 0
    owed = Notice.objects.unsent().values("job_id").distinct().count()
    lost = max(0, owed - queues.depth(QUEUES["notify"].url))
    ids = list(jobs[: min(lost, MOST)])
    for job_id in ids:
        notify.delay(*([job_id] if job_id else []))  # without a number: about subscriptions
    return len(ids)


def give_up_uploads() -> int:
    """Refuse uploads that broke off or were not submitted, and destroy what has arrived of them."""
    return sum(map(_give_up, list(stuck.abandoned_uploads()[:MOST])))


def _give_up(upload: Upload) -> bool:
    """Give an upload up unless another part of it, or its submission, came this moment."""
    with transaction.atomic():
        held = Upload.objects.select_for_update(of=("self",)).filter(pk=upload.pk).first()
        if held is None or not stuck.abandoned_uploads().filter(pk=upload.pk).exists():
            return False
        held.refuse(UNSUBMITTED)
        result_sets.discard_input(held)
    result_sets.destroy_input(upload.key)
    return True


def destroy() -> int:
    """Destroy what has been given up."""
    return result_sets.carry_out(stuck.stranded_discards()[:MOST])


def tell_staff() -> int:
    """Mail staff the alarms they have not been told of, all in one, and write the receipt."""
    alarms = list(stuck.untold_alarms()[:MOST])
    if alarms:
        mail.tell_staff(alarms)
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in alarms]).update(told_at=Now())
    return len(alarms)


#: What every sweep does, however well all goes.
ERRANDS: dict[str, Callable[[], int]] = {
    "what S3 says of thawed copies": thawed.hear,
    "events for other systems": announcing.announce,
}

#: What there is to do only when something was lost or its time is over. What destroys bytes comes
#: last: a storage that hangs may take all the time there is, and staff must hear of the rest.
PARTS: dict[str, Callable[[], int]] = {
    "grants that are over": entitlement.end_grants,
    "subscribers' archived jobs": heal_archived_of_subscribers,
    "free users' jobs without a date": heal_completed_without_date,
    "jobs without a message": resend,
    "jobs whose turn it was": give_turns,
    "mails without a message": remind,
    "webhooks without a message": outbox.remind,
    "old calls of webhooks": outbox.forget,
    "owners to tell before results go": last_call.call,
    "dead letters": read_dead_letters,
    "alarms": tell_staff,
    "uploads never submitted": give_up_uploads,
    "accounts that were left": leaving.empty_all,
    "files to destroy": destroy,
}
