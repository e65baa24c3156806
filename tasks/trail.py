"""Each message bears the id of its job's story, and each line of a task says what it is about."""

import logging
import time
from contextvars import ContextVar
from typing import Any

from celery import Task
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun
from django.apps import apps

from gas import metrics
from gas.logs import context

logger = logging.getLogger(__name__)

#: The tasks whose messages name a job.
OF_JOBS = frozenset({"annotate", "notify", "archive", "thaw", "restore"})
#: The header of a message that bears the id.
HEADER = "correlation"

_began: ContextVar[float] = ContextVar("began", default=0.0)


@setup_logging.connect(weak=False)
def leave_logs_alone(**_: Any) -> None:
    """Keep Celery from setting up logs: they are as the settings say."""


@before_task_publish.connect(weak=False)
def mark(sender: str, body: tuple[Any, ...], headers: dict[str, Any], **_: Any) -> None:
    """Give a message the id of its job, whoever sends it and however often."""
    headers[HEADER] = _of_job(sender, body[0]) or context.correlation() or context.new()


def _of_job(task: str, args: tuple[Any, ...]) -> str:
    """The id of the job that a message names; empty when there is none, or no such job."""
    number = job_of(task, args)
    at_it = context.bound("task") and context.bound("job") == number
    if number is None or at_it:
        return ""  # a task that works on the job bears its id already
    jobs = apps.get_model("gas", "Job").objects  # the models are loaded after this module
    return jobs.filter(pk=number).values_list("correlation", flat=True).first() or ""


def job_of(task: str, args: tuple[Any, ...]) -> int | None:
    """The number of the job that a message is about, if it is about one."""
    number = next(iter(args), None) if task in OF_JOBS else None
    return number if isinstance(number, int) else None


@task_prerun.connect(weak=False)
def begin(task: Task[Any, Any], task_id: str, args: tuple[Any, ...], **_: Any) -> None:
    """Name what the lines of this task are about, until its end."""
    delivered: dict[str, Any] = dict(task.request.delivery_info or {})
    receives = receives_of(task)
    context.begin(
        correlation=context.ours(getattr(task.request, HEADER, None)) or context.new(),
        task=task.name,
        job=job_of(task.name, args),
        queue=delivered.get("routing_key"),
        message_id=task_id,
        sqs_id=getattr(task.request, "sqs_id", None),
        receives=receives,
    )
    if receives and receives > 1:
        metrics.count(metrics.REDELIVERIES, queue=task.name)
    _began.set(time.perf_counter())


@task_postrun.connect(weak=False)
def end(task: Task[Any, Any], state: str | None = None, **_: Any) -> None:
    """Say how the task ended, in one line, and that nothing is being worked on."""
    seconds = round(time.perf_counter() - _began.get(), 4)
    ended = state or "IGNORED"
    logger.info("%s %s", task.name, ended, extra={"state": ended, "seconds": seconds})
    metrics.count(metrics.TASK_RUN, seconds, task=task.name, state=ended)
    context.end()


def receives_of(task: Task[Any, Any]) -> int | None:
    """How often the message that the task works on was delivered, as `tasks.transport` says."""
    text = getattr(task.request, "receives", None)
    return int(text) if isinstance(text, str) and text.isdecimal() else None
