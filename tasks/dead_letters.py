"""What becomes of messages that were received so often that SQS gave them up.

A dead letter that names a step of a job counts as a breakdown of that step: while the job is still
due the step is sent again, a bounded number of times. A letter for a job that has moved on is
dropped. Any other letter (garbage, an unknown task, a task of another release) stays in its
dead-letter queue, and staff are told once.
"""

import base64
import json
import logging
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from celeryconfig import LEASE, QUEUES, Queue
from gas.letters import one_line
from gas.models import CLAIMED_FROM, Alarm, Job, JobEvent, Status
from gas.models.leases import FREE
from gas.storage import queues, result_sets
from gas.storage.queues import Letter
from tasks import pipeline
from tasks.annotate import BROKE_DOWN, break_off
from tasks.notify import notify
from tasks.setbacks import BREAKDOWN, MOST_SETBACKS

logger = logging.getLogger(__name__)

#: Receives of one queue in one sweep; a good day has one, which finds nothing.
MOST_RECEIVES = 10
#: Seconds for which a letter is out of sight while a sweep looks at those behind it.
HIDDEN = 30

#: Where each task takes a job.
INTO = {
    "annotate": Status.RUNNING,
    "archive": Status.ARCHIVING,
    "thaw": Status.THAWING,
    "restore": Status.RESTORING,
}

LARGEST_NUMBER = 2**63 - 1

GIVEN_UP = "its message was received again and again, and no worker could finish with it"


@dataclass(frozen=True)
class Step:
    """What a message of ours asks for: a task, and the number of what it is about, if of one.

    That is a webhook for `deliver`, and a job for every other.
    """

    task: str
    number: int | None


def step_of(body: str) -> Step | None:
    """Read a message as our tasks take it; None for everything else.

    https://docs.celeryq.dev/en/v5.5.3/internals/protocol.html, in the envelope of kombu's virtual
    transports, whose body is base64.
    """
    try:
        message = json.loads(body)
        task = message["headers"]["task"]
        (args, kwargs, _) = json.loads(base64.b64decode(message["body"], validate=True))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(task, str) or task not in QUEUES or kwargs:
        return None
    match args:
        case [] if task not in (*INTO, "deliver"):
            return Step(task, None)
        case [int(number)] if task in (*INTO, "notify", "deliver") and _is_number(number):
            return Step(task, number)
    return None


def _is_number(number: int) -> bool:
    return not isinstance(number, bool) and 0 < number <= LARGEST_NUMBER


def read_dead_letters() -> int:
    """Settle the letters that are about jobs, tell staff of new others; returns how many."""
    return sum(map(_read, QUEUES.values()))


def _read(queue: Queue) -> int:
    settled, foreign = 0, []
    for _ in range(MOST_RECEIVES):
        letters = queues.receive(queue.dead_letter_url, hidden_for=HIDDEN)
        if not letters:
            break
        for letter in letters:
            if _settle(queue, letter):
                settled += 1
            else:
                foreign.append(letter)
    return settled + sum(_keep(queue, letter) for letter in foreign)


def _keep(queue: Queue, letter: Letter) -> bool:
    """Leave a letter to staff, for whom it is in sight again; True when they are to be told."""
    told = f"A message that fits no job rests in {queue.dead_letter_name}: {_about(letter.body)}"
    queues.show(queue.dead_letter_url, letter)
    return Alarm.raise_once(f"dead letter {letter.id}", told)


def _about(body: str) -> str:
    """What staff should know of a foreign message: its task, or how it begins."""
    try:
        return one_line(f"task {json.loads(body)['headers']['task']}", 200)
    except (ValueError, TypeError, KeyError, RecursionError):
        return one_line(body, 200)


def _settle(queue: Queue, letter: Letter) -> bool:
    """Do what a letter asks for, then delete it; False for one that is about no job."""
    step = step_of(letter.body)
    if step is None or step.task != queue.name:
        return False
    logger.warning("dead letter of %s, number %s", step.task, step.number)
    if step.task == "deliver":  # the calls are still owed, and the sweeper sends for them
        Alarm.raise_once(f"calls of {step.number}", f"Webhook {step.number} could not be called")
    elif step.number is not None:
        _take_up(step.task, step.number)
    queues.delete(queue.dead_letter_url, letter)
    return True


def _take_up(task: str, job_id: int) -> None:
    if task == "notify":  # the mail is still owed, and the sweeper sends for it
        told = f"The mails of job {job_id} could not be sent"
        Alarm.raise_once(f"mails of job {job_id}", told, job=Job.objects.filter(pk=job_id).first())
        return
    job = _awaited(task, job_id)
    if job is None:
        return  # deleted, moved on, or somebody is at it
    if job.setbacks + BREAKDOWN >= MOST_SETBACKS:
        _end(job, INTO[task], trouble=GIVEN_UP, sentence=BROKE_DOWN)
    else:
        _revive(job)


def _awaited(task: str, job_id: int) -> Job | None:
    """The job of a letter, if it still waits for just that."""
    into = INTO[task]
    awaited = Job.objects.due().filter(FREE, status__in=(CLAIMED_FROM[into], into))
    return awaited.filter(pk=job_id).first()


def give_up(task: str, job_id: int, *, trouble: str, sentence: str) -> bool:
    """End what a letter's job still waits for, and tell its owner; False when it waits no more.

    A job without results is FAILED with the sentence, one with results rests where it is.
    """
    job = _awaited(task, job_id) if task in INTO else None
    if job is None:
        return False
    _end(job, INTO[task], trouble=trouble, sentence=sentence)
    return True


def _revive(job: Job) -> None:
    with transaction.atomic():
        Job.objects.filter(FREE, pk=job.pk, status=job.status).update(
            setbacks=F("setbacks") + BREAKDOWN
        )
        JobEvent.objects.create(
            job=job, actor="sweep", before=job.status, after=job.status, reason=GIVEN_UP
        )
    pipeline.send(job)


def _end(job: Job, into: Status, *, trouble: str, sentence: str) -> None:
    """Fail a job without results; let one that has some rest where it is."""
    claim = Job.objects.claim(job.pk, into=into, worker="dead letters", lease=LEASE)
    if claim is None:
        return
    if into is not Status.RUNNING:
        claim.stall(trouble)
        return
    break_off(claim, trouble, sentence)
    notify.delay(claim.pk)
    result_sets.destroy(claim)
