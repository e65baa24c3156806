"""The service spread over several machines, with short timers."""

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from celeryconfig import QUEUES
from dev import postgres
from dev.children import HOST, end
from dev.database import Database
from dev.faults.disk import StackWithDisks
from dev.local_aws import QueuedMessage, messages_at
from dev.local_aws.server import CREDENTIALS, REGION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

WORKERS = ("worker", "worker-2")
COURIERS = ("courier", "courier-2")

#: How long the pipeline waits for a writer of SQLite.
LOCK_SECONDS = 4

#: Long enough for a loaded machine, short enough that every wait is met many times.
TIMERS = {
    "GAS_FREE_RETENTION": "4s",
    "GAS_DOWNGRADE_GRACE": "4s",
    "GAS_THAW_POLL": "1s",
    "GAS_RETRY_AFTER": "1s",
    "GAS_LEASE": "5s",
    "GAS_RESEND_AFTER": "8s",
    "GAS_SWEEP_EVERY": "4s",
    "GAS_FAULTS_LOCK": str(LOCK_SECONDS),
}

QUEUE_NAMES = [queue.queue_name for queue in QUEUES.values()]
DEAD_NAMES = [queue.dead_letter_name for queue in QUEUES.values()]

#: What is not at rest: jobs that are not where their owner's plan wants them, what is owed.
_RESTLESS = {
    "jobs": """SELECT count(*) FROM gas_job job JOIN gas_user owner ON owner.id = job.owner_id
        WHERE job.status NOT IN ('failed', 'cancelled') AND job.status
        <> CASE owner.plan_id WHEN 'premium' THEN 'completed' ELSE 'archived' END""",
    "mails owed": "SELECT count(*) FROM gas_notice WHERE sent_at IS NULL",
    "calls owed": "SELECT count(*) FROM gas_delivery WHERE wake_at IS NOT NULL",
    # What is due later is a late look at what was destroyed already.
    "bytes to destroy": """SELECT count(*) FROM gas_discard
        WHERE try_at <= CURRENT_TIMESTAMP OR tries > 0""",
}


class Town(StackWithDisks):
    """Two workers and two couriers; its queues and buckets can be looked at past the service."""

    @property
    def commands(self) -> dict[str, list[str]]:
        """The processes of the stack, each kind of worker twice; clocks may be wrong."""
        once = {
            name: ["dev.faults.app" if word == "tasks" else word for word in command]
            for name, command in super().commands.items()
        }
        again = {
            f"{name}-2": [part.replace("@%h", "-2@%h") for part in once[name]]
            for name in ("worker", "courier")
        }
        return once | again

    def start(self) -> None:
        """Start everything."""
        super().start()
        for name in ("worker-2", "courier-2"):
            self.launch(name)

    def start_again(self) -> list[str]:
        """Start what has ended, as an init system does; returns the names."""
        ended = [name for name, process in self.processes.items() if process.poll() is not None]
        for name in ended:
            self.launch(name)
        return ended

    def replace(self, name: str) -> None:
        """Let a process finish its work in hand while another takes its place."""
        leaving = self.processes.pop(name)
        leaving.terminate()
        self.launch(name)
        end(leaving)

    @property
    def database(self) -> Database:
        """The database, past the service."""
        return Database(self.environment["DATABASE_URL"])

    @property
    def local_url(self) -> str:
        """The local AWS itself."""
        return f"http://{HOST}:{self.ports.aws}"

    @cached_property
    def sqs(self) -> "SQSClient":
        """The queues, past the service."""
        return self._session.client("sqs", endpoint_url=self.local_url)

    @cached_property
    def s3(self) -> "S3Client":
        """The buckets, past the service."""
        return self._session.client("s3", endpoint_url=self.local_url)

    @property
    def _session(self) -> boto3.session.Session:
        key_id, secret = CREDENTIALS.values()
        return boto3.session.Session(key_id, secret, region_name=REGION)

    def lift_limits(self) -> None:
        """Let every account have as many jobs as the run needs, as staff may."""
        limits = "max_active_jobs = 10000, max_jobs_a_day = NULL, max_running_jobs = 4"
        self.database.change(f"UPDATE gas_plan SET {limits}")

    def restless(self) -> str:
        """Say what is on its way still; nothing when everything is at rest."""
        try:
            counts = {name: self.database.number(query) for name, query in _RESTLESS.items()}
        except self.database.faults as fault:
            return str(fault)
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)

    def waiting(self) -> list[QueuedMessage]:
        """Messages in every queue but those of dead letters."""
        return [message for message in self.messages() if message.queue in QUEUE_NAMES]

    def queue_url(self, name: str) -> str:
        """The address of a queue at the local AWS."""
        return f"{self.local_url}/000000000000/{name}"

    def messages(self) -> list[QueuedMessage]:
        """Everything in every queue, delayed and in flight too."""
        return messages_at(self.local_url)


@dataclass
class Server:
    """A PostgreSQL that can be restarted in the middle."""

    running: postgres.Postgres

    def restart(self, *, away: float) -> None:
        """Stop it, which ends every connection, and start it again after so many seconds."""
        old = self.running
        old.stop()
        time.sleep(away)
        self.running = postgres.start(old.folder, old.port, old.account)
