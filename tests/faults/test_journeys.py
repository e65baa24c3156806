"""However a job is hit on its way, it ends as if it had not been: once, whole, and told of once."""

import signal
from collections.abc import Iterator

import pytest
import requests

from dev.database import Database
from dev.demo import SAMPLE
from dev.faults import disk
from dev.faults.receiver import Receiver, receiver
from dev.faults.stack import FaultyStack, faulty
from dev.faults.steps import MOMENTS, TAKEN
from dev.visitor import Visitor
from dev.waiting import until
from tests.faults import journeys
from tests.faults.journeys import Case, Found
from tests.pipeline.conftest import database_settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(3600 if journeys.ALL else 1500)]

CASES = [
    *journeys.deaths(),
    *journeys.worker_deaths(),
    *journeys.full_disks(),
    *journeys.messages(),
    *journeys.calls(),
]
RETENTION = 4
SECONDS = 1500 if journeys.ALL else 600


@pytest.fixture(scope="module")
def called() -> Iterator[Receiver]:
    """Who is called when results are back."""
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, called: Receiver) -> Iterator[FaultyStack]:
    """The service, which loses processes and calls; its workers' clocks are ten minutes off.

    Their SQLite is locked once for longer than they wait.
    """
    settings = database_settings() | {"GAS_FAULTS_LOCK": "4", "GAS_FAULTS_RECEIVER": called.address}
    running = faulty(tmp_path_factory.mktemp("journeys"), settings)
    running.own_settings["worker"] = {"GAS_FAULTS_CLOCK": "600"}
    running.own_settings["courier"] = {"GAS_FAULTS_CLOCK": "-600"}
    with running:
        yield running


@pytest.fixture(scope="module")
def found(stack: FaultyStack, called: Receiver) -> Found:
    """All the jobs at once, and what is there when they are back."""
    journeys.begin(stack, CASES)
    stack.plan({f"beat.send.{moment}.any": "process" for moment in MOMENTS})
    journeys.lock(stack)
    journeys.go(stack, CASES, seconds=SECONDS)
    # Now that nobody else kills them, workers are told to end, at messages that come once more.
    stack.plan({"annotate.claim.before.any": "drain", "notify.take.before.any": "drain"})
    for case in CASES:
        if case.name == "replayed":
            assert journeys.replay(stack, case) >= len(TAKEN)
    journeys.settle(stack)
    return journeys.look(stack, called)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_job_ends_right_whatever_befalls_it(found: Found, case: Case) -> None:
    assert found.wrong_with(case) == []


def test_every_step_that_a_task_takes_is_one_at_which_it_dies(
    found: Found, stack: FaultyStack
) -> None:
    taken = {f"{task}.{step}" for task, steps in TAKEN.items() for step in steps}
    seen = {step for step in stack.seen() if step.partition(".")[0] in TAKEN}
    assert taken - seen == set()


def test_no_job_is_archived_before_its_time_however_wrong_the_clocks(stack: FaultyStack) -> None:
    database = Database(stack.environment["DATABASE_URL"])
    events = "SELECT job_id, at FROM gas_jobevent WHERE before = '{}' AND after = '{}'"
    done = dict(database.rows(events.format("running", "completed")))
    begun = dict(database.rows(events.format("completed", "archiving")))
    assert len(begun) >= len(CASES)
    for job, moment in begun.items():
        assert database.seconds_between(done[job], moment) >= RETENTION


@pytest.mark.skipif(not disk.is_possible(), reason="only root may mount small disks")
def test_staff_are_told_of_a_full_disk(found: Found, stack: FaultyStack) -> None:
    database = Database(stack.environment["DATABASE_URL"])
    assert database.number("SELECT count(*) FROM gas_alarm WHERE text LIKE 'The disk of %'") > 0


def test_beat_is_killed_and_workers_that_are_told_to_end_do_so_in_order(
    found: Found, stack: FaultyStack
) -> None:
    ends = set(stack.restarts)
    assert {("beat", -signal.SIGKILL), ("worker", 0), ("courier", 0)} <= ends
    assert ("worker", -signal.SIGKILL) in ends


def test_a_site_that_dies_before_it_sends_the_message_loses_no_job(
    found: Found, stack: FaultyStack
) -> None:
    researcher = Visitor(stack.site_url)
    researcher.sign_in("Free researcher")
    ready = researcher.upload(SAMPLE).form(to="/submit/")
    stack.plan({"site.send.before.any": "process"})
    with pytest.raises(requests.ConnectionError):
        researcher.submit(ready)
    until(lambda: stack.left() == [], "the death of the site")
    done = f"SELECT count(*) FROM gas_job WHERE id > {len(CASES)} AND completed_at IS NOT NULL"
    database = Database(stack.environment["DATABASE_URL"])
    until(lambda: database.number(done) == 1, "the job that the site could not send")
