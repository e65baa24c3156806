"""What operators do with queues: pause and resume one, redrive and purge its dead letters."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now
from django.template.defaultfilters import pluralize

from celeryconfig import QUEUES, Queue
from gas.models import QueueState, StaffAct
from gas.services import pauses, upkeep
from gas.services.staff.acts import LONGEST_REASON, ActRefused
from gas.storage import queues
from gas.storage.queues import Letter
from tasks import depths
from tasks.dead_letters import give_up, step_of

#: What the owner of a job is told whose last message was purged.
PURGED = (
    "The annotation broke down on our side again and again, and we gave it up. "
    "You can run it again; if it fails once more, please tell us."
)

#: Seconds for which a letter that is about to be purged is kept from others.
HIDDEN = 60


@dataclass(frozen=True)
class Purged:
    """What a purge did: messages that are gone, and jobs that ended with them."""

    messages: int
    jobs: int

    def __str__(self) -> str:
        def counted(count: int, what: str) -> str:
            return f"{count} {what}{pluralize(count)}"

        return f"{counted(self.messages, 'message')} purged, {counted(self.jobs, 'job')} ended"


def queue_named(name: str) -> Queue:
    """The queue of a name; ActRefused, which tells the names, when there is none."""
    if name not in QUEUES:
        raise ActRefused(f"There is no such queue; there are {', '.join(QUEUES)}.")
    return QUEUES[name]


def pause(*, queue: Queue, actor: str, reason: str) -> str:
    """Let no worker take anything from a queue, until it is resumed; what runs goes on.

    Its messages stay in SQS. Workers hear of it within seconds. ActRefused when it is paused.
    """
    asked = _reason(reason)
    with transaction.atomic():
        QueueState.objects.get_or_create(pk=queue.name)
        mine = QueueState.objects.filter(pk=queue.name, paused_at=None)
        if not mine.update(paused_at=Now(), paused_by=actor, pause_reason=asked):
            raise ActRefused(f"{queue.name} is paused already.")
        done = f"{queue.name} is paused: workers stop taking from it within seconds."
        StaffAct.record("pause", "queue", queue.name, actor=actor, reason=asked, outcome=done)
    pauses.PAUSED.forget()
    return done


def resume(*, queue: Queue, actor: str, reason: str) -> str:
    """Let workers take from a queue again; ActRefused when it is not paused."""
    asked = _reason(reason)
    with transaction.atomic():
        mine = QueueState.objects.filter(pk=queue.name).exclude(paused_at=None)
        if not mine.update(paused_at=None, paused_by="", pause_reason=""):
            raise ActRefused(f"{queue.name} is not paused.")
        done = f"{queue.name} goes on: workers take from it within seconds."
        StaffAct.record("resume", "queue", queue.name, actor=actor, reason=asked, outcome=done)
    pauses.PAUSED.forget()
    return done


def redrive(*, queue: Queue, actor: str, reason: str) -> str:
    """Put the dead letters of a queue back into it; StorageError when SQS cannot be reached."""
    asked = _reason(reason)
    moved = upkeep.redrive(queue=queue, actor=actor)
    done = f"{moved} message{pluralize(moved)} moved back to {queue.name}."
    StaffAct.record("redrive", "queue", queue.name, actor=actor, reason=asked, outcome=done)
    return done


def purge(*, queue: Queue, actor: str, reason: str) -> str:
    """Destroy the dead letters of a queue, and end in writing what their jobs still wait for.

    A job without results is FAILED and its owner mailed; one with results stalls, and nothing of
    it is destroyed. Mails and webhooks stay owed. StorageError when SQS cannot be reached: what
    was purged by then is gone, and calling again goes on.
    """
    asked = _reason(reason)
    done = Purged(0, 0)
    try:
        while done.messages < upkeep.MOST_MOVED:
            letters = queues.receive(queue.dead_letter_url, hidden_for=HIDDEN)
            if not letters:
                break
            for letter in letters:
                ended = _purge(queue, letter, actor=actor, reason=asked)
                done = Purged(done.messages + 1, done.jobs + ended)
    finally:
        depths.forget(queue)
        StaffAct.record("purge", "queue", queue.name, actor=actor, reason=asked, outcome=f"{done}.")
    return f"{done}."


def _purge(queue: Queue, letter: Letter, *, actor: str, reason: str) -> bool:
    """End what one letter is about, then delete it; True when a job ended."""
    step = step_of(letter.body)
    number = step.number if step else None
    trouble = f"purged from the dead letters by staff: {reason}"
    ended = (
        step is not None
        and number is not None
        and give_up(step.task, number, trouble=trouble, sentence=PURGED)
    )
    if ended:
        told = f"Its message for {queue.name} was destroyed, and it ended."
        StaffAct.record("purge", "job", str(number), actor=actor, reason=reason, outcome=told)
    queues.delete(queue.dead_letter_url, letter)
    return ended


def _reason(reason: str) -> str:
    """The reason as it is kept; ActRefused without one."""
    said = " ".join(reason.split())[:LONGEST_REASON]
    if not said:
        raise ActRefused("Please say why: it is written down.")
    return said
