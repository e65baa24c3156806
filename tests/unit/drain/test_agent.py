"""The agent: the mild word first, the firm one in time, and the group told when all have gone."""

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from gas.drain import agent, presence
from gas.drain.agent import HAND_BACK_BEFORE, HEARTBEAT_EVERY, Agent
from gas.drain.metadata import MetadataUnavailable
from gas.drain.orders import LIFECYCLE, SPOT, SPOT_SECONDS, order
from gas.env import ROOT
from gas.storage.errors import StorageUnavailable

LONGEST = 600.0


class Ec2:
    """What a machine is told of itself, and the group that it is of."""

    def __init__(self) -> None:
        self.says = {LIFECYCLE: "InService"}
        self.is_away = False
        self.done: list[str] = []
        self.refuses = 0

    def read(self, path: str) -> str | None:
        if self.is_away:
            raise MetadataUnavailable(path)
        return self.says.get(path)

    def heartbeat(self) -> None:
        self._note("heartbeat")

    def complete(self) -> None:
        self._note("complete")

    def _note(self, what: str) -> None:
        if self.refuses > 0:
            self.refuses -= 1
            raise StorageUnavailable(what)
        self.done.append(what)


class Machine:
    """Workers by their number, each with the word that it heeds, and a clock that waits move."""

    def __init__(self) -> None:
        self.heeds: dict[int, signal.Signals] = {}
        self.told: list[tuple[int, str]] = []
        self.clock = 0.0
        self.ends_after = 0.0  # seconds after the word
        self._ends: dict[int, float] = {}

    def living(self, folder: Path) -> list[int]:
        return [pid for pid in self.heeds if self._ends.get(pid, 1e9) > self.clock]

    def kill(self, pid: int, word: signal.Signals) -> None:
        self.told.append((pid, word.name))
        if word in (self.heeds[pid], signal.SIGKILL):
            self._ends.setdefault(pid, self.clock + self.ends_after)

    def wait(self, seconds: float) -> None:
        self.clock += seconds


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Ec2:
    found = Ec2()
    monkeypatch.setattr(agent, "hook_of", lambda source, *, name: found)
    return found


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(agent, "workers", found.living)
    monkeypatch.setattr(os, "kill", found.kill)
    return found


@pytest.fixture
def watch(ec2: Ec2, machine: Machine, tmp_path: Path) -> Agent:
    return Agent(ec2, tmp_path, "drain", LONGEST, lambda: machine.clock, machine.wait)


def spot(seconds: float, action: str = "terminate") -> str:
    """A notice that the machine is taken back in so many seconds."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return f'{{"action": "{action}", "time": "{moment:%Y-%m-%dT%H:%M:%SZ}"}}'


def test_a_machine_in_service_is_left_alone(watch: Agent, ec2: Ec2, machine: Machine) -> None:
    machine.heeds[7] = signal.SIGTERM
    watch.step()
    assert (machine.told, ec2.done, list(watch.folder.iterdir())) == ([], [], [])


@pytest.mark.parametrize("target", ["Terminated", "Standby", "Detached", "Warmed:Stopped"])
def test_a_machine_that_is_to_be_anything_else_ends_its_workers(
    watch: Agent, ec2: Ec2, machine: Machine, target: str
) -> None:
    ec2.says[LIFECYCLE] = target
    machine.heeds = {7: signal.SIGTERM, 8: signal.SIGTERM}
    watch.step()
    assert machine.told == [(7, "SIGTERM"), (8, "SIGTERM")]
    assert ec2.done[-1] == "complete"
    assert (watch.folder / presence.DRAINING).exists()


def test_the_group_waits_as_long_as_work_goes_on(watch: Agent, ec2: Ec2, machine: Machine) -> None:
    ec2.says[LIFECYCLE] = "Terminated"
    machine.heeds[7], machine.ends_after = signal.SIGTERM, 5 * HEARTBEAT_EVERY
    watch.step()
    assert ec2.done.count("heartbeat") >= 5
    assert (ec2.done[-1], ec2.done.count("complete")) == ("complete", 1)


def test_it_is_said_once_that_a_machine_is_empty(watch: Agent, ec2: Ec2) -> None:
    ec2.says[LIFECYCLE] = "Terminated"
    for _ in range(3):
        watch.step()
    assert ec2.done == ["complete"]


def test_an_agent_that_is_started_anew_says_it_again(watch: Agent, ec2: Ec2) -> None:
    (watch.folder / presence.DRAINING).touch()
    ec2.says[LIFECYCLE] = "Terminated"
    watch.step()
    assert ec2.done == ["complete"]


def test_a_group_that_does_not_hear_is_told_again(watch: Agent, ec2: Ec2) -> None:
    ec2.says[LIFECYCLE], ec2.refuses = "Terminated", 2
    watch.step()
    assert ec2.done == ["complete"]


def test_what_is_not_finished_in_time_is_handed_back(
    watch: Agent, ec2: Ec2, machine: Machine
) -> None:
    ec2.says[SPOT] = spot(SPOT_SECONDS)
    machine.heeds[7] = signal.SIGQUIT
    watch.step()
    assert machine.told == [(7, "SIGTERM"), (7, "SIGQUIT")]
    assert machine.clock <= SPOT_SECONDS - HAND_BACK_BEFORE + 1
    assert ec2.done[-1] == "complete"


def test_a_worker_that_heeds_nothing_is_killed_before_the_machine_goes(
    watch: Agent, ec2: Ec2, machine: Machine
) -> None:
    ec2.says[SPOT] = spot(SPOT_SECONDS)
    machine.heeds[7] = signal.SIGKILL
    watch.step()
    assert [word for _, word in machine.told] == ["SIGTERM", "SIGQUIT", "SIGKILL"]
    assert machine.clock < SPOT_SECONDS


def test_spot_capacity_that_is_taken_back_while_a_machine_finishes_cuts_its_time(
    watch: Agent, ec2: Ec2, machine: Machine
) -> None:
    ec2.says[LIFECYCLE] = "Terminated"
    machine.heeds[7] = signal.SIGQUIT
    ec2.says[SPOT] = spot(SPOT_SECONDS)
    watch.step()
    assert machine.clock < SPOT_SECONDS


def test_a_worker_that_starts_meanwhile_is_told_too(
    watch: Agent, ec2: Ec2, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ec2.says[LIFECYCLE] = "Terminated"
    machine.heeds[7], machine.ends_after = signal.SIGTERM, 10.0
    monkeypatch.setattr(ec2, "heartbeat", lambda: machine.heeds.update({8: signal.SIGTERM}))
    watch.step()
    assert {pid for pid, _ in machine.told} == {7, 8}


@pytest.mark.parametrize(
    "notice", ["", "[]", "{}", '{"action": "stop"}', '{"time": 7}', "[" * 9999]
)
def test_a_notice_that_cannot_be_read_leaves_the_time_that_ec2_promises(
    ec2: Ec2, notice: str
) -> None:
    ec2.says[SPOT] = notice
    told = order(ec2)
    assert told is not None
    assert told.seconds == SPOT_SECONDS


@pytest.mark.parametrize(("moment", "left"), [(-3600, 0.0), (36_000, SPOT_SECONDS)])
def test_a_wrong_clock_makes_no_more_time_than_ec2_promises(
    ec2: Ec2, moment: float, left: float
) -> None:
    ec2.says[SPOT] = spot(moment)
    told = order(ec2)
    assert told is not None
    assert told.seconds == left


def test_a_machine_that_hibernates_has_no_time(watch: Agent, ec2: Ec2, machine: Machine) -> None:
    ec2.says[SPOT] = spot(100, "hibernate")
    machine.heeds[7] = signal.SIGQUIT
    watch.step()
    assert machine.told == [(7, "SIGQUIT")]


def test_a_silent_metadata_service_is_told_of_once_and_ends_nothing(
    watch: Agent, ec2: Ec2, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.heeds[7], ec2.is_away = signal.SIGTERM, True
    (watch.folder / presence.DRAINING).touch()
    for _ in range(3):
        watch.step()
    assert (machine.told, len(caplog.records)) == ([], 1)
    assert (watch.folder / presence.DRAINING).exists()


def test_a_machine_that_is_back_in_service_may_start_workers(watch: Agent, ec2: Ec2) -> None:
    ec2.says[LIFECYCLE] = "Standby"
    watch.step()
    ec2.says[LIFECYCLE] = "InService"
    watch.step()
    assert not (watch.folder / presence.DRAINING).exists()
    ec2.says[LIFECYCLE] = "Terminated"
    watch.step()
    assert ec2.done == ["complete", "complete"]


#: A worker, as far as it tells that it lives; it ends when its input does.
LIVES = """
import sys
from pathlib import Path
from gas.drain import presence
held = presence.announce(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


def test_the_file_of_a_worker_that_was_killed_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "424242.worker"
    left.touch()
    assert presence.workers(tmp_path) == []
    assert not left.exists()


def test_a_file_that_another_process_holds_is_a_living_worker(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIVES, str(tmp_path)]
    with Popen(command, stdin=PIPE, stdout=PIPE, cwd=ROOT) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"ready\n"
        assert presence.workers(tmp_path) == [worker.pid]
        assert presence.workers(tmp_path) == [worker.pid]
    assert presence.workers(tmp_path) == []
