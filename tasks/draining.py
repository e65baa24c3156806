"""How a worker ends: it takes nothing more and finishes, or hands back what it cannot finish.

SIGTERM is the former. It does what Celery's warm shutdown does, and does not end before the polls
under way are answered, since nobody would hear what they bring. SIGQUIT, before or after it, is the
latter: the processes are ended, the rows that they held and their messages given up, so that other
workers go on at once. Celery's own answer to SIGQUIT leaves both to their time-outs.
"""

import logging
import os
import signal
from typing import IO, Any

from celery import signals
from celery.platforms import EX_OK
from celery.worker import state
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from gas.drain import presence
from gas.forks import connected
from gas.models import Job, Notice, Webhook, leases
from tasks.dead_letters import step_of
from tasks.leases import name_of
from tasks.transport import hand_back

logger = logging.getLogger(__name__)

#: Where Celery's event loop looks whether it is to end, and with which status.
STOP = "should_stop"

#: Seconds between two looks at whether this worker was told to end.
LOOK_EVERY = 0.25


class Ending:
    """What one worker has been told, and how far it is with that."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._leaves = self._hands_back = self._has_said = False

    def leave(self, *_: object) -> None:
        """Take nothing more, and end when everything is finished; a signal handler."""
        self._leaves = True

    def leave_at_once(self, *_: object) -> None:
        """Take nothing more, and end without finishing; a signal handler."""
        self._leaves = self._hands_back = True

    def look(self) -> None:
        """Go on with ending; called by the event loop of the worker, which waits meanwhile."""
        if self._leaves and (tasks := self._consumer.task_consumer):
            self._say_once()
            tasks.cancel()
            if not tasks.channel.polls and self._is_done(tasks.channel.qos.held()):
                setattr(state, STOP, EX_OK)
                return
        self._consumer.hub.call_later(LOOK_EVERY, self.look)

    def _say_once(self) -> None:
        if not self._has_said:
            logger.warning("this worker takes nothing more")
            self._has_said = True

    def _is_done(self, held: list[Any]) -> bool:
        if held and self._hands_back:
            self._hand_back(held)
        return not held

    def _hand_back(self, held: list[Any]) -> None:
        """End every process, give up what they held, and be gone."""
        begun = {request.id for request in state.active_requests}
        self._consumer.pool.kill()
        give_up([message for message in held if message.headers["id"] in begun])
        for message in held:
            hand_back(message.delivery_info["sqs_queue"], message.delivery_info["sqs_message"])
        logger.warning("this worker ends and hands %d messages back", len(held))
        signals.worker_shutdown.send(sender=self._consumer.controller)
        logging.shutdown()
        os._exit(EX_OK)  # nothing is left to be done in order, and Celery would make new processes


def give_up(messages: list[Any]) -> None:
    """Give up the rows that ended processes held; without a database their leases run out."""
    try:
        with connected():
            for message in messages:
                _give_up(message.headers["id"], message.delivery_info["sqs_message"]["Body"])
    except (DatabaseError, InterfaceError) as error:
        logger.warning("leases were not given up, they run out: %s", error)


def _give_up(message_id: str, body: str) -> None:
    step = step_of(body)
    if step is None:
        return
    worker = name_of(step.task, message_id)
    Job.objects.hand_back(worker=worker)
    leases.hand_back(Notice.objects.unsent(), worker=worker)
    leases.hand_back(Webhook.objects.all(), worker=worker)


#: Held open for as long as this worker lives.
_announced: list[IO[str]] = []


@signals.worker_ready.connect(weak=False)
def prepare(sender: Any, **_: Any) -> None:
    """Heed the two signals, and tell `manage.py drain` whom to send them to."""
    ending = Ending(sender)
    signal.signal(signal.SIGTERM, ending.leave)
    signal.signal(signal.SIGQUIT, ending.leave_at_once)
    ending.look()
    if settings.RUN_FOLDER:
        _announced.append(presence.announce(settings.RUN_FOLDER))
