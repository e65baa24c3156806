"""Waits and long work, on two emulators of SQS: nothing early, nothing twice, nothing lost."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from dev.children import children_of, end, spawn
from dev.stack import ROOT
from dev.waiting import until
from tests.faults import brokers

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

pytestmark = pytest.mark.timeout(400)

MANY = 20
#: Seconds by which a message timer may be early, and a note late.
EARLY = 1.1
VISIBILITY = 4


@dataclass
class Waits:
    """The application, its broker and its worker."""

    folder: Path
    environment: dict[str, str]
    worker: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start a worker of four processes."""
        flags = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-c4"]
        command = [sys.executable, "-m", "celery", "-A", "tests.faults.waiting_app", "worker"]
        flags.append("--loglevel=INFO")
        self.worker = spawn([*command, *flags], self.environment, self.folder / "worker.log")

    def kill(self) -> None:
        """End the worker and its processes at once."""
        assert self.worker is not None
        for pid in [*children_of(self.worker.pid), self.worker.pid]:
            os.kill(pid, signal.SIGKILL)
        self.worker.wait()

    def send(self, code: str) -> None:
        """Send messages, by a line of Python over `app`'s tasks."""
        script = f"import time\nfrom tests.faults.waiting_app import *\n{code}"
        subprocess.run([sys.executable, "-c", script], env=self.environment, cwd=ROOT, check=True)

    def notes(self, kind: str, test: str) -> list[tuple[str, float]]:
        """What was noted in a test, and when."""
        file = self.folder / kind
        lines = file.read_text().splitlines() if file.exists() else []
        found = [(name, float(at)) for name, at in map(str.split, lines)]
        return [(name, at) for name, at in found if name.startswith(test)]

    def until_noted(self, kind: str, test: str, count: int) -> None:
        """Wait for so many notes."""
        until(lambda: len(self.notes(kind, test)) >= count, f"{count} {kind}")

    def starts(self) -> int:
        """How often a worker has started."""
        return (self.folder / "worker.log").read_text().count("Connected to sqs")

    def has_started(self, before: int) -> bool:
        """Whether one has since."""
        return self.starts() > before

    def in_queue(self) -> Counter[str]:
        """Messages that are visible, delayed, and in the hands of a worker."""
        sqs = sqs_at(self.environment)
        url = sqs.get_queue_url(QueueName="waits")["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return Counter(
            visible=int(found["ApproximateNumberOfMessages"]),
            delayed=int(found["ApproximateNumberOfMessagesDelayed"]),
            held=int(found["ApproximateNumberOfMessagesNotVisible"]),
        )


def sqs_at(environment: dict[str, str]) -> "SQSClient":
    """A client of the broker."""
    return boto3.session.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    ).client("sqs", endpoint_url=environment["AWS_ENDPOINT_URL"])


@contextmanager
def waiting(
    folder: Path, broker: Mapping[str, str], account: str = "000000000000"
) -> Iterator[Waits]:
    """The application on a broker, with hops of two seconds."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/none.sqlite3",
        "GAS_AWS_ACCOUNT": account,
        "WAITS_FOLDER": str(folder),
        "WAITS_TIMER": "2",
        **broker,
    }
    sqs_at(environment).create_queue(
        QueueName="waits", Attributes={"VisibilityTimeout": str(VISIBILITY)}
    )
    made = Waits(folder, environment)
    made.start()
    try:
        yield made
    finally:
        if made.worker:
            end(made.worker)


@pytest.fixture(params=brokers.ACCOUNTS, scope="module")
def waits(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Waits]:
    """The application on each emulator."""
    tmp_path = tmp_path_factory.mktemp(request.param)
    account = brokers.ACCOUNTS[request.param]
    with (
        brokers.running(request.param, tmp_path) as variables,
        waiting(tmp_path, variables, account) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def begun(waits: Waits) -> Waits:
    """All that can go on side by side, so that it takes no longer than the longest."""
    waits.send(
        "\n".join(
            [
                "poll.delay('poller', 3)",
                f"work.delay('kept', {2 * VISIBILITY}, 99)",
                f"work.delay('hung', {4 * VISIBILITY}, 2)",
                promise("hops", 5),
            ]
        )
    )
    return waits


def promise(test: str, seconds: float) -> str:
    """Code that sends messages which are due then, each named after its time."""
    name = f"f'{test}{{n}}@{{time.time() + {seconds}}}'"
    return f"[arrive.apply_async(({name},), countdown={seconds}) for n in range({MANY})]"


def assert_kept(waits: Waits, test: str) -> None:
    """Each took effect once, and none before its time."""
    waits.until_noted("effects", test, MANY)
    effects = waits.notes("effects", test)
    assert len({name for name, _ in effects}) == len(effects) == MANY
    for name, at in effects:
        assert at > float(name.partition("@")[2]) - EARLY


def test_waits_of_several_hops_come_in_time_and_once_and_lie_in_the_queue(begun: Waits) -> None:
    assert begun.in_queue()["held"] <= 4  # what its processes are at
    assert_kept(begun, "hops")
    assert len(begun.notes("arrivals", "hops")) == MANY


def test_a_poller_comes_back_by_itself_as_often_as_it_wants(begun: Waits) -> None:
    begun.until_noted("effects", "poller", 1)
    moments = [at for _, at in begun.notes("polls", "poller")]
    assert len(moments) == 4
    assert all(later - earlier > 0.9 for earlier, later in pairwise(moments))


def test_long_work_starts_once_while_its_message_is_kept_hidden(begun: Waits) -> None:
    begun.until_noted("effects", "kept", 1)
    assert len(begun.notes("starts", "kept")) == 1


def test_work_that_gives_no_sign_of_life_is_begun_elsewhere(begun: Waits) -> None:
    begun.until_noted("starts", "hung", 2)
    first, second = (at for _, at in begun.notes("starts", "hung")[:2])
    assert second - first < 4 * VISIBILITY  # before the first could have ended


def test_waits_outlive_the_deaths_of_workers(begun: Waits) -> None:
    begun.send(promise("deaths", 5))
    for _ in range(2):
        started = begun.starts()
        begun.kill()
        begun.start()
        until(partial(begun.has_started, started), "the worker")
    assert_kept(begun, "deaths")


def test_waits_outlive_a_restart_of_the_broker(tmp_path: Path) -> None:
    with (
        brokers.restartable(tmp_path) as (variables, restart),
        waiting(tmp_path, variables) as waits,
    ):
        waits.send(promise("restart", 5))
        restart()
        assert_kept(waits, "restart")
