"""Real workers over a failing SQS: none is restarted, and what was submitted comes to its end."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import requests

from dev import postgres
from dev.chaos.town import Server
from dev.children import HOST, free_port
from dev.database import Database
from dev.faults.faults import SQS_FAULTS
from dev.faults.stack import FaultyStack, faulty
from dev.local_aws import Mail, mails_at
from dev.waiting import until
from tasks.annotate import BROKE_DOWN
from tasks.setbacks import BREAKDOWN, MOST_SETBACKS
from tests.faults import journeys

pytestmark = pytest.mark.timeout(600)

INSTALLED = any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))

#: Seconds after the end of a fault within which a job that was held up is done.
RECOVERY = 180
#: How often a fault is met before it ends: a signal of life comes with long work only.
MET = {"ReceiveMessage": 3, "DeleteMessage": 2, "SendMessage": 3, "ChangeMessageVisibility": 1}
ACTIONS = tuple(MET)
#: A short job would end before its message is hidden on.
HELD = {"ChangeMessageVisibility": {"annotate.child.after": "hold"}}
#: Every fault of every action; else each action once, by refusal, outage, throttling or silence.
PAIRS = [(action, fault) for action in ACTIONS for fault in SQS_FAULTS]
CHOSEN = list(zip(ACTIONS, ("expired-token", "503", "throttled", "hang"), strict=True))


@dataclass
class Service:
    """The stack, with workers that nobody starts again."""

    stack: FaultyStack
    port: int
    server: Server | None  # of PostgreSQL

    @property
    def database(self) -> Database:
        return Database(self.stack.environment["DATABASE_URL"])

    def pids(self) -> dict[str, int]:
        """The process of each worker."""
        return {name: self.stack.processes[name].pid for name in ("worker", "courier")}

    def submit(self, name: str, plans: Mapping[str, str] = MappingProxyType({})) -> int:
        """Let a new account submit a job, and these things happen at its steps."""
        job: int = self.stack.seed("submit", {name: dict(plans)})[name][0]
        return job

    def row(self, name: str) -> tuple[str, str, int]:
        """Status, failure and attempts of the job of an account."""
        columns = "SELECT status, failure, attempt FROM gas_job"
        [(status, failure, attempt)] = self.database.rows(f"{columns} WHERE name = '{name}.vcf'")
        return status, failure, attempt

    def mails(self, name: str) -> list[Mail]:
        """The mails about it."""
        return [mail for mail in mails_at(self.stack.proxy.endpoint) if name in mail.subject]

    def told_once(self, name: str) -> bool:
        """Whether all mails about it are one, which a lease this short lets be repeated."""
        return len({mail.text for mail in self.mails(name)}) == 1

    def is_done(self, name: str) -> bool:
        """Whether the job of an account is completed and told of."""
        done = f"SELECT count(*) FROM gas_job WHERE name = '{name}.vcf' AND status <> 'running'"
        return self.database.number(done) == 1 and bool(self.mails(name))

    def log(self) -> str:
        """What the workers have said."""
        return "".join(
            (self.stack.folder / f"{name}.log").read_text() for name in ("worker", "courier")
        )

    def ready(self) -> tuple[int, str]:
        """What the worker says of itself."""
        try:
            with urlopen(f"http://{HOST}:{self.port}/readyz", timeout=60) as answer:
                return answer.status, first_line(answer.read())
        except HTTPError as refusal:
            return refusal.code, first_line(refusal.read())


def first_line(answer: bytes) -> str:
    """What an answer to `/readyz` says in all; how long each part took is below it."""
    return answer.decode().partition("\n")[0]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, on a PostgreSQL of its own where one is installed, and a job that is doomed."""
    port = free_port()
    settings = {"GAS_FREE_RETENTION": "1h", "GAS_LEASE": "3s"}
    with ExitStack() as undo:
        server = Server(undo.enter_context(postgres.running())) if INSTALLED else None
        if server:
            undo.callback(lambda: server.running.stop())
            settings["DATABASE_URL"] = server.running.url
        stack = faulty(tmp_path_factory.mktemp("riding"), settings)
        stack.own_settings["worker"] = {"GAS_WORKER_PORT": str(port)}
        made = Service(undo.enter_context(stack), port, server)
        made.submit("doomed", {"annotate.fetch.before": "process always"})
        yield made
        assert stack.restarts == []


@pytest.mark.parametrize(("action", "fault"), PAIRS if journeys.ALL else CHOSEN)
def test_a_fault_of_sqs_is_ridden_out(service: Service, action: str, fault: str) -> None:
    pids, name = service.pids(), f"{action}-{fault}".lower()
    hold = Path(service.stack.plans, "hold")
    hold.touch()
    with service.stack.proxy.failing(action, SQS_FAULTS[fault]) as rule:
        service.submit(name, HELD.get(action, {}))
        until(lambda: len(rule.hits) >= MET[action], f"{fault} at {action}")
    hold.unlink()
    until(lambda: service.is_done(name), f"the job that met {fault} at {action}", seconds=RECOVERY)
    assert service.pids() == pids
    assert all(process.poll() is None for process in service.stack.processes.values())
    assert service.told_once(name)


@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed")
def test_a_restart_of_the_database_is_ridden_out(service: Service) -> None:
    assert service.server is not None
    pids = service.pids()
    service.submit("restart")
    until(lambda: service.row("restart")[0] != "queued", "a job at work")
    service.server.restart(away=1)
    until(lambda: service.is_done("restart"), "the job that met it", seconds=RECOVERY)
    assert service.pids() == pids
    assert service.told_once("restart")


def test_a_job_whose_process_is_killed_each_time_fails_with_a_sentence(service: Service) -> None:
    until(lambda: service.is_done("doomed"), "an end of the doomed job", seconds=400)
    status, failure, attempts = service.row("doomed")
    assert (status, failure) == ("failed", BROKE_DOWN)
    assert MOST_SETBACKS / BREAKDOWN <= attempts <= MOST_SETBACKS + 2
    assert service.told_once("doomed")
    assert BROKE_DOWN in " ".join(service.mails("doomed")[0].text.split())
    assert service.database.number("SELECT count(*) FROM gas_alarm WHERE text LIKE 'Job %'") == 1


def test_each_queue_tells_once_that_it_is_deaf_and_once_that_it_hears(service: Service) -> None:
    said = re.findall(r"queue (\w+) (cannot be polled|answers again)", service.log())
    for queue in {queue for queue, _ in said}:
        words = [word for each, word in said if each == queue]
        assert words == ["cannot be polled", "answers again"] * (len(words) // 2)
    assert said


def test_a_worker_that_cannot_poll_says_so_and_says_when_it_can(service: Service) -> None:
    until(lambda: service.ready() == (200, "ok"), "the worker")
    with service.stack.proxy.failing("ReceiveMessage", SQS_FAULTS["expired-token"]):
        deaf = (503, "failing: queue annotate")
        until(lambda: service.ready() == deaf, "a worker that says that it is deaf")
    until(lambda: service.ready() == (200, "ok"), "a worker that hears")


def test_a_worker_without_storage_or_database_says_so(service: Service) -> None:
    with service.stack.proxy.failing("HeadBucket", SQS_FAULTS["503"]):
        assert service.ready() == (503, "failing: storage")


def test_the_site_names_what_fails_it_and_works_on(service: Service) -> None:
    def says() -> tuple[int, str]:
        answer = requests.get(f"{service.stack.site_url}/readyz", timeout=60)
        return answer.status_code, first_line(answer.content)

    until(lambda: says() == (200, "ok"), "the site")
    with (
        service.stack.proxy.failing("GetQueueAttributes", SQS_FAULTS["hang"]),
        service.stack.proxy.failing("HeadBucket", SQS_FAULTS["access-denied"]),
    ):
        failing = (503, "failing: queue, storage")
        until(lambda: says() == failing, "a site that names what fails")
        assert requests.get(service.stack.site_url, timeout=60).status_code == 200
    until(lambda: says() == (200, "ok"), "the site again")
