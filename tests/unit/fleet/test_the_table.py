"""The table of worker groups, its write-up, and the days it is tried on."""

import re

import pytest

from bench import blocks, scaling
from bench.fleet import workload
from bench.fleet.experiments import Trial, worst
from celeryconfig import QUEUES
from deploy.scaling import GROUPS, Backlog
from gas.models import Plan


def test_every_queue_has_workers_of_one_group() -> None:
    served = [queue for group in GROUPS.values() for queue in group.queues]
    assert sorted(served) == sorted(QUEUES)


def test_what_sweeps_never_sleeps() -> None:
    assert [group.name for group in GROUPS.values() if not group.sleeps] == ["short"]


def test_the_chosen_target_keeps_the_goals_and_machines_that_boot_slowly_would_not() -> None:
    group = GROUPS["annotate"]
    assert worst(Trial(group, 1_000)).keeps(group)
    slow = Trial(group, 1_000, boot=600)
    assert not worst(slow, seeds=(1,)).keeps(group)


def test_the_same_seed_gives_the_same_day_and_another_seed_another() -> None:
    first, again, other = (list(workload.annotations(500, days=1, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 500
    assert all(0 <= job.at < workload.DAY for job in first)


def test_a_genome_of_five_million_variants_takes_minutes_and_a_panel_seconds() -> None:
    assert workload.seconds_of(5e6) == pytest.approx(103)
    assert workload.seconds_of(1_000) < 4


def test_turns_are_simulated_with_what_the_plans_allow(db: None) -> None:
    allowed = dict(Plan.objects.values_list("name", "max_running_jobs"))
    assert allowed == workload.RUNNING


def test_the_page_says_what_the_simulation_says() -> None:
    told = blocks.read(scaling.PAGE, "volumes").splitlines()
    for a_day in (100, 1_000):
        row = scaling.volume_row(GROUPS["annotate"], a_day)
        assert f"| {' | '.join(row)} |" in told


def test_the_page_compares_and_the_chosen_one_is_the_cheapest_that_keeps_the_goals() -> None:
    rows = [line.split(" | ") for line in blocks.read(scaling.PAGE, "candidates").splitlines()[2:]]
    for group in GROUPS.values():
        mine = [[cell.strip("|` ") for cell in row] for row in rows if group.name in row[0]]
        assert {row[1] for row in mine} == {str(metric) for metric in Backlog}
        kept = [row for row in mine if row[8] == "yes"]
        cheapest = min(int(row[6].replace(",", "")) for row in kept)
        chosen = next(r for r in kept if (r[1], r[2]) == (group.backlog, f"{group.target:g}"))
        assert int(chosen[6].replace(",", "")) == cheapest


def test_the_pictures_of_the_page_are_there() -> None:
    shown = re.findall(r"\]\((images/[^)]+)\)", scaling.PAGE.read_text())
    assert len(shown) == 3
    for picture in shown:
        assert (scaling.PAGE.parent / picture).read_text().startswith("<svg")
