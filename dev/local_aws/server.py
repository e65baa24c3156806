"""The server: ministack on a loopback port, as a child that never outlives its parent."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen

from dev.children import HOST, DidNotStart, end, free_port, is_free, spawn, wait_for
from dev.local_aws.provision import Provisioner, QueueRow

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local-only"}
START_SECONDS = 120
#: It saves its state when it is told to stop; killed before, it has lost what S3 never loses.
SAVE_SECONDS = 120


@dataclass(frozen=True)
class Mail:
    """A mail that the local SES took for delivery."""

    to: list[str]
    subject: str
    text: str
    html: str
    sent_at: datetime


@dataclass(frozen=True)
class QueuedMessage:
    """A message in a queue, whether delayed, in flight or visible."""

    queue: str
    body: str


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS; its state lies in `state_dir` and survives a stop."""

    port: int
    state_dir: Path
    process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The address of every service."""
        return self.environment()["AWS_ENDPOINT_URL"]

    def environment(self) -> dict[str, str]:
        """Return the standard AWS variables that lead a process here."""
        return environment_of(self.port)

    def provision(
        self,
        queues: Iterable[QueueRow],
        buckets: Mapping[str, str],
        *,
        origin: str,
        sender: str,
    ) -> None:
        """Make queues, buckets (`inputs` open to pages of `origin`) and the sender; repeatable."""
        provisioner = Provisioner(self.endpoint, REGION, *CREDENTIALS.values())
        provisioner.queues(queues)
        provisioner.buckets(buckets, origin=origin)
        provisioner.sender(sender)

    def mails(self) -> list[Mail]:
        """Return the mails sent so far, oldest first."""
        return mails_at(self.endpoint)

    def stop(self) -> None:
        """Stop, saving the state; returns when the port is free."""
        end(self.process, seconds=SAVE_SECONDS)


def start(state_dir: Path, port: int | None = None) -> LocalAws:
    """Start and wait until it answers: on `port`, else `state_dir`'s last one, else a free one.

    DidNotStart says what its log says. It ends with the thread that started it, whatever ends that.
    """
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    port = port or _last_port(state_dir) or free_port()
    (state_dir / "port").write_text(str(port))
    command = [sys.executable, "-m", "ministack"]
    process = spawn(command, _server_environment(state_dir, port), state_dir / "server.log")
    aws = LocalAws(port, state_dir, process)
    try:
        wait_for(
            f"The local AWS on port {port}",
            process,
            lambda: answers(aws.endpoint),
            state_dir / "server.log",
            seconds=START_SECONDS,
        )
    except DidNotStart:
        aws.stop()
        raise
    return aws


def _last_port(state_dir: Path) -> int | None:
    """Return the port of the last run if it is free: addresses of queues and links stay valid."""
    note = state_dir / "port"
    port = int(note.read_text()) if note.exists() else None
    return port if port and is_free(port) else None


def environment_of(port: int) -> dict[str, str]:
    """Return the standard AWS variables that lead a process to a local AWS on this port."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        **CREDENTIALS,
    }


def _server_environment(state_dir: Path, port: int) -> dict[str, str]:
    # Nothing is inherited: a developer's real AWS settings must not reach the server.
    return {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(state_dir),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AUTH": "true",  # signed links and forms are really checked
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state_dir / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state_dir / "s3"),
        "IOT_MTLS_ENABLED": "0",  # these two would listen on every address
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{state_dir}/no-docker",
        "LOG_LEVEL": "WARNING",
        **CREDENTIALS,
    }


def _get(url: str) -> Any:
    with urlopen(url, timeout=5) as answer:
        return json.load(answer)


def answers(endpoint: str) -> bool:
    """Tell whether a local AWS answers at this address."""
    try:
        return bool(_get(f"{endpoint}/_ministack/ready")["status"] == "completed")
    except (URLError, ConnectionError, TimeoutError):
        return False


def mails_at(endpoint: str) -> list[Mail]:
    """Return the mails that the local AWS at `endpoint` took, oldest first."""
    accounts = _get(f"{endpoint}/_ministack/ses/messages")["messages"].values()
    mails = [
        Mail(
            to=entry["To"],
            subject=entry["Subject"],
            text=entry["BodyText"] or "",
            html=entry["BodyHtml"] or "",
            sent_at=datetime.fromtimestamp(entry["Timestamp"], UTC),
        )
        for entries in accounts
        for entry in entries
    ]
    return sorted(mails, key=lambda mail: mail.sent_at)


def messages_at(endpoint: str) -> list[QueuedMessage]:
    """Return every message of every queue, without receiving any."""
    accounts = _get(f"{endpoint}/_ministack/sqs/messages")["messages"]
    return [
        QueuedMessage(url.rpartition("/")[2], message["Body"])
        for regions in accounts.values()
        for queues in regions.values()
        for url, messages in queues.items()
        for message in messages
    ]
