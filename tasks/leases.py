"""Working on a job: claim it or drop the message, and give signs of life while the work goes on."""

import logging
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from copy import copy
from datetime import timedelta
from types import TracebackType
from typing import Any

from celery import Task
from celery.exceptions import Ignore
from django.conf import settings
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
)
from django.db.models.functions import Now

from celeryconfig import LEASE, QUEUES, STALL_LIMIT
from gas.logs import context
from gas.models import CLAIMED_FROM, IN_FLIGHT, Job, LeaseLost, Status
from gas.storage import result_sets
from gas.storage.errors import StorageUnavailable
from tasks import measures
from tasks.setbacks import BREAKDOWN, bounded
from tasks.trail import receives_of
from tasks.transport import keep_hidden

logger = logging.getLogger(__name__)

#: Faults that pass: the step is tried again and nobody is blamed.
TRANSIENT = (StorageUnavailable, OperationalError, InterfaceError)

#: Between two signs of life, so that one may fail.
BEAT = LEASE / 3

#: Longest time for which SQS hides a message, counted from its receipt.
LONGEST_HIDDEN = timedelta(hours=12)

#: A message timer may wake its message a moment early; within this it waits once more.
EARLY = timedelta(seconds=2)


class Stalled(Exception):
    """The work hangs: it has made no progress for long."""


class Heartbeat:
    """Renews the lease of a job and the invisibility of its message with every beat.

    As long as the work moves on: a lease must not outlive what it is for.
    """

    def __init__(self, claim: Job, task: Task[Any, Any]) -> None:
        self._claim = claim
        self._queue = QUEUES[task.name]
        self._receipt = (task.request.properties or {}).get("delivery_tag")
        self._moved_at = now = time.monotonic()
        self._held_until = now + LEASE.total_seconds()
        # It was received at most a visibility timeout ago, else it would be with another worker.
        self._hidden_until = now + LONGEST_HIDDEN.total_seconds() - self._queue.visibility_timeout
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._beat,), name="heartbeat", daemon=True
        )

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def progress(self, *_what: object) -> None:
        """Note that the work moves on."""
        self._moved_at = time.monotonic()

    def check(self) -> None:
        """Note that the work moves on; LeaseLost when the lease is gone or was not renewed."""
        self.progress()
        self.tick()

    def tick(self) -> None:
        """Raise LeaseLost when the lease is gone or was not renewed, Stalled when the work hangs.

        To be called while something else works, whose progress is told by `progress`.
        """
        if time.monotonic() > self._held_until:
            raise LeaseLost(f"the lease of job {self._claim.pk} has run out")
        if self._is_stalled():
            raise Stalled(f"{self._claim.pk} made no progress for {STALL_LIMIT}")

    def _is_stalled(self) -> bool:
        return time.monotonic() - self._moved_at > STALL_LIMIT.total_seconds()

    def _beat(self) -> None:
        try:  # the claim itself was the first sign of life; most tasks are over before the second
            while not self._stop.wait(BEAT.total_seconds()) and not self._is_stalled():
                self._sign_of_life()
        finally:
            connections.close_all()

    def _sign_of_life(self) -> None:
        asked = time.monotonic()
        try:
            self._claim.renew(LEASE)
            self._held_until = asked + LEASE.total_seconds()
            self._keep_message_hidden()
        except LeaseLost:
            self._held_until = 0.0
            self._stop.set()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the lease of job %s was not renewed: %s", self._claim.pk, error)
            connections.close_all()

    def _keep_message_hidden(self) -> None:
        """Hide the message on; from SQS's limit on it comes again, and loses to the lease."""
        left = math.floor(self._hidden_until - time.monotonic())
        if self._receipt is not None and left > 0:
            seconds = min(self._queue.visibility_timeout, left)
            keep_hidden(self._queue, receipt=self._receipt, seconds=seconds)


def name_of(task: str, message_id: str | None) -> str:
    """What a worker of this machine calls itself in the rows that it holds for a message."""
    return f"{task}@{socket.gethostname()} {message_id}"


@contextmanager
def working(task: Task[Any, Any], job_id: int, *, into: Status) -> Iterator[tuple[Job, Heartbeat]]:
    """Hold the job for one task; `Ignore` drops the message of a job that is not to be had.

    A fault that passes, or a storage that refuses, lets the job go and sends the message again
    later; any other error leaves the message to SQS, which redelivers it and in the end moves it to
    the dead letters.
    """
    worker = name_of(task.name, task.request.id)
    job = Job.objects.claim(job_id, into=into, worker=worker, lease=LEASE)
    if job is None:
        _wait_when_too_early(task, job_id, into=into)
        if (receives_of(task) or 1) > 1:
            _clear_up(job_id)
        raise Ignore
    context.bind(attempt=job.attempt)
    measures.claimed(job, task.name)
    claim = copy(job)  # as it was made, whatever becomes of the job meanwhile
    try:
        with bounded(task, claim), _tried_again(task, claim), Heartbeat(claim, task) as heartbeat:
            yield job, heartbeat
    except LeaseLost as loss:
        logger.warning("%s lets go: %s", worker, loss)
        result_sets.destroy(claim)
        raise Ignore from loss


@contextmanager
def _tried_again(task: Task[Any, Any], claim: Job) -> Iterator[None]:
    try:
        yield
    except (*TRANSIENT, Stalled) as fault:
        logger.warning("%s of job %s is tried again: %s", task.name, claim.pk, fault)
        renew_connection()  # which may be what failed
        setbacks = BREAKDOWN if isinstance(fault, Stalled) else 0
        claim.let_go(wake_in=settings.RETRY_AFTER, setbacks=setbacks)
        raise task.retry(countdown=settings.RETRY_AFTER.total_seconds()) from fault


def renew_connection() -> None:
    """Replace a database connection that broke, or grew old during long work without it."""
    if not connection.in_atomic_block:
        close_old_connections()


def _clear_up(job_id: int) -> None:
    """Destroy what ended attempts left behind, if the job rests.

    Who worked on this message before may have died, or lost its database, after the end of the job
    and before clearing up.
    """
    job = Job.objects.filter(pk=job_id).exclude(status__in=IN_FLIGHT).first()
    if job is not None:
        result_sets.destroy(job)


def _wait_when_too_early(task: Task[Any, Any], job_id: int, *, into: Status) -> None:
    """Send the message round again when it came a moment before the job is due.

    Or before the lease of a process that died over this very message runs out: such a message
    comes back within seconds, and nobody else would take the job over for minutes.
    """
    job = Job.objects.filter(pk=job_id, status__in=(CLAIMED_FROM[into], into))
    if job.filter(lease_until=None, wake_at__gt=Now(), wake_at__lte=Now() + EARLY).exists():
        raise task.retry(countdown=EARLY.total_seconds())
    if job.filter(lease_owner__endswith=f" {task.request.id}", lease_until__gte=Now()).exists():
        raise task.retry(countdown=LEASE.total_seconds())
