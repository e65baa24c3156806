"""What is measured: every metric's name, unit and dimensions, and how a measurement is told.

With `GAS_METRICS=emf` each measurement is a line of JSON among the lines of the log, from which
CloudWatch makes metrics by itself: no agent, no call, no network. Dashboards and alarms take the
names from `METRICS`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings

from gas.logs import context

logger = logging.getLogger(__name__)

#: Fields of the line of a measurement by which it is found; they are no dimensions.
TRACED = ("correlation", "job", "route")
#: Seconds for which what happens all the time is added up before it is told.
ADDED_UP = 60.0


class Unit(StrEnum):
    """CloudWatch's names of units."""

    COUNT = "Count"
    SECONDS = "Seconds"
    BYTES = "Bytes"


@dataclass(frozen=True)
class Metric:
    """One metric; each set of values of its dimensions is a series of its own."""

    name: str
    unit: Unit
    dimensions: tuple[str, ...]
    what: str


def _metric(name: str, unit: Unit, dimensions: str, what: str) -> Metric:
    return Metric(name, unit, tuple(dimensions.split()), what)


JOBS = _metric(
    "Jobs", Unit.COUNT, "Outcome", "jobs completed, failed, cancelled, archived and restored"
)
STEP_WAIT = _metric(
    "StepWait", Unit.SECONDS, "Task", "from the moment a step was due until a worker took it"
)
TASK_RUN = _metric("TaskRun", Unit.SECONDS, "Task State", "one run of a task, by how it ended")
RESULT_TIME = _metric("ResultTime", Unit.SECONDS, "", "from a job's submission to its results")
ARCHIVE_TIME = _metric(
    "ArchiveTime", Unit.SECONDS, "", "from a job's due date until its results are archived"
)
THAW_TIME = _metric(
    "ThawTime", Unit.SECONDS, "", "from the request of archived results until they are at hand"
)
UPLOAD_BYTES = _metric("UploadBytes", Unit.BYTES, "", "size of a file that became a job")
MAILS = _metric("Mails", Unit.COUNT, "Outcome", "mails settled, refused and put off")
REQUESTS = _metric("Requests", Unit.COUNT, "Area Status", "answers, by class of page and status")
REQUEST_TIME = _metric("RequestTime", Unit.SECONDS, "Area Status", "time of an answer")
QUEUE_DEPTH = _metric("QueueDepth", Unit.COUNT, "Queue", "messages that wait for a worker")
QUEUE_IN_FLIGHT = _metric("QueueInFlight", Unit.COUNT, "Queue", "messages that a worker holds")
DEAD_LETTERS = _metric("DeadLetters", Unit.COUNT, "Queue", "messages in the dead-letter queue")
OLDEST_DUE = _metric(
    "OldestDue", Unit.SECONDS, "Status", "how long the step longest due has waited, by status"
)
REDELIVERIES = _metric("Redeliveries", Unit.COUNT, "Queue", "messages that came again")
LEASES_EXPIRED = _metric(
    "LeasesExpired", Unit.COUNT, "Status", "jobs taken over from a worker that fell silent"
)
SWEEP_FINDINGS = _metric("SweepFindings", Unit.COUNT, "Part", "what a sweep had to mend")
ALARMS = _metric("Alarms", Unit.COUNT, "", "alarms raised for staff")
SQS_REQUESTS = _metric("SqsRequests", Unit.COUNT, "Action", "requests to SQS, added up per process")
SQS_ERRORS = _metric("SqsErrors", Unit.COUNT, "Action", "those that were refused or not answered")

METRICS = (
    *(JOBS, STEP_WAIT, TASK_RUN, RESULT_TIME, ARCHIVE_TIME, THAW_TIME, UPLOAD_BYTES, MAILS),
    *(REQUESTS, REQUEST_TIME, QUEUE_DEPTH, QUEUE_IN_FLIGHT, DEAD_LETTERS, OLDEST_DUE),
    *(REDELIVERIES, LEASES_EXPIRED, SWEEP_FINDINGS, ALARMS, SQS_REQUESTS, SQS_ERRORS),
)


def are_on() -> bool:
    """Whether anybody listens: what must be looked up to be measured is not, if nobody does."""
    return bool(settings.METRICS)


def measure(values: Mapping[Metric, float], **dimensions: str) -> None:
    """Tell measurements that share their dimensions, which are written in lower case here."""
    if not settings.METRICS:
        return
    named = {name.capitalize(): value for name, value in dimensions.items()}
    for metric in values:
        if set(metric.dimensions) != named.keys():
            raise ValueError(f"{metric.name} has the dimensions {metric.dimensions}")
    logger.info(_line(values, named))


def count(metric: Metric, value: float = 1, **dimensions: str) -> None:
    """Tell one measurement."""
    measure({metric: value}, **dimensions)


def _line(values: Mapping[Metric, float], dimensions: Mapping[str, str]) -> str:
    told = {
        "Namespace": settings.METRICS_NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in values],
    }
    fields: dict[str, Any] = {name: context.bound(name) for name in TRACED}
    return json.dumps(
        {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]},
            **dimensions,
            **{metric.name: round(value, 4) for metric, value in values.items()},
            **{name: value for name, value in fields.items() if value is not None},
        }
    )


class Tally:
    """Adds up what happens all the time, and tells it about once a minute."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, as the child of a process must: its parent tells what it had counted."""
        self._counts: Counter[tuple[Metric, tuple[tuple[str, str], ...]]] = Counter()
        self._lock = threading.Lock()
        self._told_at = time.monotonic()

    def add(self, metric: Metric, **dimensions: str) -> None:
        """Count one more; a minute is told when the next one begins."""
        if not settings.METRICS:
            return
        with self._lock:
            self._counts[metric, tuple(dimensions.items())] += 1
            is_due = time.monotonic() - self._told_at >= ADDED_UP
        if is_due:
            self.tell()

    def tell(self) -> None:
        """Tell what has been added up."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._told_at = time.monotonic()
        for (metric, dimensions), total in counts.items():
            count(metric, total, **dict(dimensions))


sqs_calls = Tally()

os.register_at_fork(after_in_child=sqs_calls.forget)
