"""Delays carried by SQS itself: nothing waits in the memory of a worker.

`countdown=` and `self.retry(countdown=...)` become the message timer of SQS when a message is
published. The timer ends at 15 minutes; a longer wait travels as a number of seconds still to go,
and is sent on when the timer wakes the message. The seconds are relative, so that a worker with a
wrong clock neither hurries nor delays anything; whether a job is due, its row decides.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from celery import Task
from celery.signals import before_task_publish

#: The longest delay of one message, in seconds: a limit of SQS.
LONGEST_TIMER = 900


class DurableTask(Task[Any, Any]):
    """A task that goes back to the queue when its message was woken before its time.

    It is given numbers alone: what a newer release names beside them is not for this one.
    """

    abstract = True
    max_retries = None  # the rows bound what is tried again, not the messages

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.request.kwargs = {}  # or a retry would send them on
        if still_to_wait := getattr(self.request, "wait", None):
            raise self.retry(countdown=still_to_wait)
        return self.run(*args)


@before_task_publish.connect(weak=False)
def carry_delay_natively(
    headers: dict[str, Any], properties: dict[str, Any], **_: Mapping[str, Any]
) -> None:
    """Turn the `eta` of a message into the timer of SQS, and what exceeds it into `wait`."""
    headers["wait"] = None
    eta = headers.get("eta")
    if eta is None:
        return
    due = datetime.fromisoformat(eta)
    delay = max(0, math.ceil((due - datetime.now(UTC)).total_seconds()))
    headers["eta"] = None
    headers["wait"] = max(0, delay - LONGEST_TIMER) or None
    properties["DelaySeconds"] = min(delay, LONGEST_TIMER)
