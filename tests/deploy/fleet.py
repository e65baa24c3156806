"""Machines with real workers and real drain agents, what EC2 tells each, and AWS behind a proxy."""

import json
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3

from dev.children import HOST, spawn
from dev.database import Database
from dev.faults.proxy import Call
from dev.faults.stack import FaultyStack
from dev.local_aws.server import CREDENTIALS, REGION
from dev.waiting import until
from tasks.dead_letters import step_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

TOKEN = "a-token-of-the-metadata-service"
GROUP, INSTANCE = "tags/instance/aws:autoscaling:groupName", "instance-id"
LIFECYCLE, SPOT = "autoscaling/target-lifecycle-state", "spot/instance-action"


class Metadata(ThreadingHTTPServer):
    """IMDSv2 as EC2 has it: nothing without a token, 404 for what there is not."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Answers)
        self.says = {GROUP: "gas-annotate", INSTANCE: "i-0123456789abcdef0", LIFECYCLE: "InService"}
        self.tokens = 0

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.server_address[1]}"

    def take_spot_back(self, seconds: float) -> None:
        """Tell that the machine goes in so many seconds."""
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        at = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        self.says[SPOT] = json.dumps({"action": "terminate", "time": at})


class _Answers(BaseHTTPRequestHandler):
    server: Metadata

    def do_PUT(self) -> None:
        asked = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or not asked.isdecimal():
            self._say(400, "")
            return
        self.server.tokens += 1
        self._say(200, TOKEN)

    def do_GET(self) -> None:
        value = self.server.says.get(self.path.removeprefix("/latest/meta-data/"))
        if self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
            self._say(401, "")
        elif value is None:
            self._say(404, "")
        else:
            self._say(200, value)

    def _say(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def metadata() -> Iterator[Metadata]:
    """A metadata service for the length of the block."""
    with Metadata() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@dataclass
class Machine:
    """One machine: a worker, and its drain agent."""

    name: str
    region: "Region"
    says: Metadata
    queues: str = "annotate"
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the worker says that it lives."""
        return self.region.folder / self.name

    @property
    def worker(self) -> "subprocess.Popen[bytes]":
        """The worker process."""
        return self.processes["worker"]

    def start(self, *, concurrency: int = 1) -> Self:
        """Start the worker and wait until it takes messages, then the agent."""
        self.folder.mkdir()
        flags = [f"--queues={self.queues}", f"--concurrency={concurrency}", "--loglevel=INFO"]
        flags += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self._spawn("worker", ["celery", "-A", "dev.faults.app", "worker", *flags])
        until(lambda: list(self.folder.glob("*.worker")), "the worker", seconds=200)
        self._spawn("agent", ["manage", "drain"])
        return self

    def _spawn(self, name: str, command: list[str]) -> None:
        own = {
            "GAS_RUN_FOLDER": str(self.folder),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.says.endpoint,
        }
        log = self.region.folder / f"{self.name}-{name}.log"
        environment = self.region.stack.environment | own
        self.processes[name] = spawn([sys.executable, "-m", *command], environment, log)

    def log(self, name: str) -> str:
        """What one of its processes has said."""
        return (self.region.folder / f"{self.name}-{name}.log").read_text()

    def has_ended(self) -> int:
        """Wait for the end of the worker; returns its status."""
        return self.worker.wait(timeout=200)

    def stop(self) -> None:
        """End what is left; a worker hears its polls out, which would take the next test's."""
        for name, process in self.processes.items():
            process.send_signal(signal.SIGQUIT if name == "worker" else signal.SIGKILL)
            process.wait(timeout=60)


@dataclass
class Region:
    """AWS and a database, and the machines there."""

    stack: FaultyStack
    machines: list[Machine] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = len(self.stack.proxy.calls)

    @property
    def folder(self) -> Path:
        """Where everything lies."""
        return self.stack.folder

    @property
    def database(self) -> Database:
        """The database of the service."""
        return Database(self.stack.environment["DATABASE_URL"])

    def machine(self, name: str, says: Metadata, queues: str = "annotate") -> Machine:
        """A machine that is not started yet."""
        named = f"{name}-{uuid.uuid4().hex}"  # tests share the folder
        self.machines.append(Machine(named, self, says, queues))
        return self.machines[-1]

    def submit(self, name: str, **plans: str) -> int:
        """Submit one job, for which something is planned; returns its number."""
        planned = {place.replace("__", "."): action for place, action in plans.items()}
        number, _ = self.stack.seed("submit", {name: planned})[name]
        return int(number)

    def job(self, number: int) -> dict[str, str]:
        """What is told of a job in its row."""
        columns = ("status", "attempt", "setbacks")
        query = f"SELECT {', '.join(columns)} FROM gas_job WHERE id = {number}"
        [row] = self.database.rows(query)
        return {column: str(value) for column, value in zip(columns, row, strict=True)}

    def calls(self, action: str) -> list[Call]:
        """The calls of AWS of one kind so far."""
        since = list(self.stack.proxy.calls)[self._before :]
        return [call for call in since if call.action == action]

    def shown(self) -> int:
        """How many messages have been handed back."""
        calls = self.calls("ChangeMessageVisibility")
        return sum(json.loads(call.body)["VisibilityTimeout"] == 0 for call in calls)

    def met(self, place: str, job: int) -> bool:
        """Whether what was planned for a job has begun to happen."""
        return Path(self.stack.plans, f"{place}.{job}.done").exists()

    def send_again(self, job: int) -> None:
        """Send the first message of a job once more."""
        mine = [call for call in self.calls("SendMessage") if _number(call) == job]
        said = json.loads(mine[0].body)
        self.sqs.send_message(QueueUrl=said["QueueUrl"], MessageBody=said["MessageBody"])

    @property
    def sqs(self) -> "SQSClient":
        """The queues."""
        key_id, secret = CREDENTIALS.values()
        session = boto3.session.Session(key_id, secret, region_name=REGION)
        return session.client("sqs", endpoint_url=self.stack.proxy.endpoint)

    def empty(self, queue: str) -> None:
        """Forget what a test before has left in a queue."""
        self.sqs.purge_queue(QueueUrl=f"{self.stack.proxy.endpoint}/000000000000/gas-{queue}")

    def end(self) -> None:
        """End every machine, and plan nothing more."""
        for machine in self.machines:
            machine.stop()
        for plan in self.stack.plans.glob("*.*"):
            plan.unlink()


def _number(call: Call) -> int | None:
    step = step_of(json.loads(call.body)["MessageBody"])
    return step.number if step else None
