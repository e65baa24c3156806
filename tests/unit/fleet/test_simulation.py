"""The simulator on cases that one can compute by hand."""

import random
from collections.abc import Iterable

import pytest

from bench.fleet.simulation import Fleet, Outcome, Simulation, percentile
from bench.fleet.tracking import Datapoint, Tracking, demand
from bench.fleet.workload import Arrival

MINUTE = 60.0


class Script(Tracking):
    """So many machines in each minute, whatever the metric says; the last number stays."""

    def __init__(self, *numbers: int) -> None:
        super().__init__(demand, 1.0, numbers[0], 99)
        self.numbers = list(numbers)

    def wanted(self, now: Datapoint, *, desired: int, warming: bool) -> int:
        return self.numbers.pop(0) if len(self.numbers) > 1 else self.numbers[0]


def jobs(*moments: float, seconds: float = 10.0, owner: int | None = None) -> list[Arrival]:
    return [
        Arrival(at, number if owner is None else owner, "free", seconds)
        for number, at in enumerate(moments)
    ]


def run(
    tracking: Tracking,
    arrivals: Iterable[Arrival],
    *,
    processes: int = 1,
    boot: float = 150.0,
    caps: dict[str, int] | None = None,
) -> Outcome:
    return Simulation(Fleet(processes, boot), tracking, caps=caps).run(arrivals)


def test_jobs_that_come_slower_than_they_are_done_wait_for_nothing() -> None:
    out = run(Script(1), jobs(100, 120, 140))
    assert out.waits == [0, 0, 0]
    assert (out.worked, out.machine_seconds) == (30, 150)


def test_of_three_jobs_at_once_each_waits_for_those_before_it() -> None:
    assert run(Script(1), jobs(100, 100, 100)).waits == [0, 10, 20]
    assert run(Script(1), jobs(100, 100, 100), processes=2).waits == [0, 0, 10]


def test_random_arrivals_wait_as_long_as_the_formula_of_a_queue_with_one_server_says() -> None:
    """M/D/1: the mean wait is rho x D / (2 (1 - rho)), 5 s at half load and 10 s a job."""
    dice, at, moments = random.Random(3), 100.0, []
    for _ in range(20_000):
        at += dice.expovariate(1 / 20)
        moments.append(at)
    waits = run(Script(1), jobs(*moments)).waits
    assert sum(waits) / len(waits) == pytest.approx(5.0, rel=0.05)


def test_a_burst_of_one_owner_takes_turns_and_more_machines_do_not_shorten_it() -> None:
    burst = jobs(*8 * [100.0], owner=7)
    for machines in (1, 4):
        out = run(Script(machines), burst, processes=2, caps={"free": 2})
        assert out.waits == 8 * [0]
        assert out.whole["free"] == [0, 0, 10, 10, 20, 20, 30, 30]


def test_another_owner_does_not_wait_behind_a_burst() -> None:
    burst = [*jobs(*8 * [100.0], owner=7), *jobs(101.0, owner=8)]
    out = run(Script(1), burst, processes=3, caps={"free": 2})
    assert out.whole["free"][2] == 0


def test_the_first_job_of_a_sleeping_group_waits_for_metric_step_and_boot() -> None:
    """Seen at 1:00, known at 2:00, booted at 4:30: 240 s after 0:30."""
    assert run(Tracking(demand, 4, 0, 9), jobs(30.0)).waits == [240]


@pytest.mark.parametrize("boot", [30.0, 600.0])
def test_a_longer_boot_is_a_longer_wait_by_as_much(boot: float) -> None:
    assert run(Tracking(demand, 4, 0, 9), jobs(30.0), boot=boot).waits == [90 + boot]


def test_a_group_falls_asleep_again_and_costs_nothing_meanwhile() -> None:
    """Launched at 32:00, at work until 34:40, seen idle at 35:00, known and taken away at 36:00."""
    out = run(Tracking(demand, 4, 0, 9), jobs(30.5 * MINUTE, 150.5 * MINUTE))
    assert out.waits == [240, 240]
    assert out.machine_seconds == 4 * MINUTE + 150 + 10


def test_a_busy_machine_that_must_go_ends_its_job_takes_no_other_and_is_paid_until_then() -> None:
    arrivals = [*jobs(50.0, seconds=100), *jobs(70.0, seconds=5)]
    out = run(Script(1, 0, 1), arrivals, boot=30.0)
    assert (out.drained_busy, out.interrupted) == (1, 1)
    assert out.waits == [0, 80]  # scaled in at 1:00, out again at 2:00, in service at 2:30
    assert out.machine_seconds == 150 + 35


def test_an_idle_machine_that_must_go_goes_at_once() -> None:
    out = run(Script(2, 1), jobs(90.0, seconds=30))
    assert (out.drained_busy, out.interrupted) == (0, 0)
    assert out.machine_seconds == 60 + 120


def test_the_95th_percentile_is_the_least_value_that_95_of_100_do_not_exceed() -> None:
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95
    assert percentile([7.0], 0.95) == 7
    assert percentile([], 0.95) == 0
