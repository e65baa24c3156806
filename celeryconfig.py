"""The pipeline's configuration; `QUEUES` is the one table of queues, limits and time-outs.

Celery, the local AWS, the deployed stack and the documentation are all made from that table.
"""

from dataclasses import dataclass
from datetime import timedelta

import kombu
from celery.schedules import crontab

from gas import env

#: How long a worker owns a job without a sign of life; renewed every third of it.
LEASE = env.duration("GAS_LEASE")

#: Longest wall-clock time of one annotation.
ANNOTATE_LIMIT = env.duration("GAS_ANNOTATE_LIMIT")

#: How long an annotation may do nothing before it counts as hung.
STALL_LIMIT = env.duration("GAS_STALL_LIMIT")

#: How often the sweeper looks for work that lost its message.
SWEEP_EVERY = env.duration("GAS_SWEEP_EVERY")

#: Seconds for which a worker waits at an empty queue; SQS allows 20.
LONG_POLL = int(env.duration("GAS_LONG_POLL").total_seconds())

PREFIX = env.text("GAS_QUEUE_PREFIX")
REGION = env.text("AWS_DEFAULT_REGION")
ACCOUNT = env.text("GAS_AWS_ACCOUNT")
ENDPOINT = env.url("AWS_ENDPOINT_URL", f"https://sqs.{REGION}.amazonaws.com")


@dataclass(frozen=True)
class Queue:
    """One queue, its dead-letter queue, and the limits of the one task that it carries."""

    name: str
    time_limit: timedelta  # hard limit of one run, after which the pool process is killed
    max_receives: int = 5  # then the message moves to the dead-letter queue

    @property
    def visibility_timeout(self) -> int:
        """Seconds a received message stays hidden unless the task's heartbeat extends it.

        A little longer than the lease, so that a message which comes back finds the lease expired.
        """
        return int(1.1 * LEASE.total_seconds()) + 1

    @property
    def queue_name(self) -> str:
        """The name of the queue at AWS."""
        return f"{PREFIX}{self.name}"

    @property
    def dead_letter_name(self) -> str:
        """The name of its dead-letter queue at AWS."""
        return f"{PREFIX}{self.name}-dead"

    @property
    def url(self) -> str:
        """The address of the queue."""
        return f"{ENDPOINT}/{ACCOUNT}/{self.queue_name}"

    @property
    def dead_letter_url(self) -> str:
        """The address of its dead-letter queue."""
        return f"{ENDPOINT}/{ACCOUNT}/{self.dead_letter_name}"


_SHORT = timedelta(minutes=5)
_COPY = timedelta(hours=3)  # a copy of the largest result set

QUEUES = {
    queue.name: queue
    for queue in (
        Queue("annotate", time_limit=ANNOTATE_LIMIT + timedelta(hours=1)),
        Queue("notify", time_limit=_SHORT),
        Queue("deliver", time_limit=_SHORT),
        Queue("archive", time_limit=_COPY),
        Queue("thaw", time_limit=_SHORT),
        Queue("restore", time_limit=_COPY),
        Queue("sweep", time_limit=_SHORT),
        Queue("reconcile", time_limit=_COPY),
    )
}

#: Where EventBridge sends what S3 says of copies in the archive that can be read now. Its messages
#: are Amazon's, which no task takes: the sweep reads them (`tasks/thawed.py`).
THAWED = Queue("thawed", time_limit=_SHORT)

# --- broker ---------------------------------------------------------------------------------------
broker_url = "sqs://"  # credentials and endpoint come from the standard AWS environment
broker_transport_options = {
    "region": REGION,
    "is_secure": ENDPOINT.startswith("https"),
    "predefined_queues": {q.queue_name: {"url": q.url, "region": REGION} for q in QUEUES.values()},
    "queue_name_prefix": PREFIX,
    "wait_time_seconds": LONG_POLL,
    "polling_interval": 0.1,  # also slept while every process is busy; the default is 1 s
    "sqs_base64_encoding": False,
    "client-config": {  # of sends and deletes: a worker that waits for one polls nothing meanwhile
        "connect_timeout": 3,
        "read_timeout": 5,
        "retries": {"total_max_attempts": 2, "mode": "standard"},
    },
}
broker_connection_retry_on_startup = True

# --- messages -------------------------------------------------------------------------------------
imports = [*(f"tasks.{name}" for name in QUEUES), "tasks.presence", "tasks.ready", "tasks.draining"]
task_queues = [kombu.Queue(name) for name in QUEUES]
task_routes = {name: {"queue": name} for name in QUEUES}
task_annotations = {
    name: {"time_limit": queue.time_limit.total_seconds()} for name, queue in QUEUES.items()
}
task_default_queue = "sweep"
task_create_missing_queues = False
task_ignore_result = True
task_acks_late = True  # a message lives until its task has returned
task_reject_on_worker_lost = True  # and survives the process that ran it
task_acks_on_failure = False  # an unexpected error: redelivery, then dead letters
task_acks_on_timeout = False
task_publish_retry_policy = {"max_retries": 3, "interval_start": 0.2, "interval_max": 2}
accept_content = ["json"]

# --- workers --------------------------------------------------------------------------------------
worker_pool = "tasks.pool:TaskPool"
worker_proc_alive_timeout = 60.0  # a busy machine needs longer to start a process than 4 s
worker_prefetch_multiplier = 1
worker_enable_remote_control = False  # SQS has no fan-out
worker_send_task_events = False
worker_hijack_root_logger = False
worker_cancel_long_running_tasks_on_connection_loss = False
timezone = "UTC"
enable_utc = True

# --- beat -----------------------------------------------------------------------------------------
beat_schedule = {
    "sweep": {
        "task": "sweep",
        "schedule": SWEEP_EVERY,
        "options": {"expires": 900},  # beat and worker may disagree about the time
    },
    "reconcile": {
        "task": "reconcile",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"expires": 900},
    },
}
