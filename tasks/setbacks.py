"""How often one step of a job may break down on our side, and what becomes of it then."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Task
from celery.exceptions import Ignore

from gas.models import Job, Status
from gas.patience import wait_after
from gas.storage.errors import StorageError

logger = logging.getLogger(__name__)

#: What the breakdowns of one step may weigh in all. A lost worker weighs 1: it is rarely its fault.
MOST_SETBACKS = 12
#: What a breakdown of the annotator weighs, work that hangs, or a dead letter.
BREAKDOWN = 4

LOST = "its workers were lost again and again"


@contextmanager
def bounded(task: Task[Any, Any], claim: Job) -> Iterator[None]:
    """Try what storage refuses ever more patiently, and in the end leave it to staff.

    Nothing has been destroyed, so that a job with results stalls where it is. A job without any
    never does: annotate fails it.
    """
    has_results = claim.state is not Status.RUNNING
    if has_results and claim.setbacks >= MOST_SETBACKS:
        claim.stall(claim.trouble or LOST)
        raise Ignore
    try:
        yield
    except StorageError as refusal:
        trouble = f"{task.name}: {refusal} ({type(refusal).__name__})"
        logger.exception("job %s is in trouble", claim.pk)
        if has_results and claim.setbacks + 1 >= MOST_SETBACKS:
            claim.stall(trouble)
            raise Ignore from refusal
        wait = wait_after(claim.setbacks)
        claim.let_go(wake_in=wait, setbacks=1, trouble=trouble)
        raise task.retry(countdown=wait.total_seconds()) from refusal
