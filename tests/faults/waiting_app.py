"""A Celery application of tasks that wait, over our transport; run by the tests beside it.

`WAITS_FOLDER` is where arrivals and effects are noted, `WAITS_TIMER` the longest message timer, so
that a wait of seconds takes as many hops as one of days.
"""

import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery, Task
from kombu import Queue as Consumed

from celeryconfig import ACCOUNT, ENDPOINT, REGION, Queue
from tasks import delays, transport

NAME = "waits"
URL = f"{ENDPOINT}/{ACCOUNT}/{NAME}"
FOLDER = Path(os.environ["WAITS_FOLDER"])
delays.LONGEST_TIMER = int(os.environ.get("WAITS_TIMER", "900"))

transport.register()
app = Celery(NAME, task_cls="tasks.delays:DurableTask", broker="sqs://")
app.conf.update(
    broker_transport_options={
        "region": REGION,
        "is_secure": False,
        "predefined_queues": {NAME: {"url": URL, "region": REGION}},
        "wait_time_seconds": 1,
        "polling_interval": 0.02,
    },
    task_queues=[Consumed(NAME)],
    task_default_queue=NAME,
    task_create_missing_queues=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


class WaitsQueue(Queue):
    """The queue of this application, under its own name."""

    @property
    def url(self) -> str:
        """The address of the queue."""
        return URL


def note(kind: str, name: str) -> None:
    """Write down that something happens now."""
    with (FOLDER / kind).open("a") as notes:
        notes.write(f"{name} {time.time()}\n")


def take_effect(name: str) -> None:
    """Do what may be done once, guarded as a row guards a job."""
    try:
        (FOLDER / f"done-{name}").open("x").close()
    except FileExistsError:
        return
    note("effects", name)


@app.task(name="arrive")
def arrive(name: str) -> None:
    """Come when it is time."""
    note("arrivals", name)
    take_effect(name)


@app.task(bind=True, name="poll")
def poll(self: Task[Any, Any], name: str, times: int) -> None:
    """Come back every second, so many times."""
    note("polls", name)
    if self.request.retries < times:
        raise self.retry(countdown=1)
    take_effect(name)


@app.task(bind=True, name="work")
def work(self: Task[Any, Any], name: str, seconds: float, hidden_for: float) -> None:
    """Work for a while, keeping the message hidden for the first part of it."""
    note("starts", name)
    queue, receipt = WaitsQueue(NAME, timedelta(0)), (self.request.properties or {})["delivery_tag"]
    started = time.monotonic()
    while (passed := time.monotonic() - started) < seconds:
        if passed < hidden_for:
            transport.keep_hidden(queue, receipt=receipt, seconds=2)
        threading.Event().wait(0.5)
    take_effect(name)
