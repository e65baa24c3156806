"""However a job is hit on its way, it ends as if it had not been: once, whole, and told of once."""

from collections.abc import Iterator

import pytest

from dev.faults.stack import FaultyStack, faulty
from dev.faults.steps import TAKEN
from tests.faults import journeys
from tests.faults.journeys import Case, Found
from tests.pipeline.conftest import database_settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(3000 if journeys.ALL else 400)]

CASES = [
    *journeys.deaths(),
    *journeys.worker_deaths(),
    *journeys.messages(),
    *journeys.calls(),
]
SECONDS = 1200 if journeys.ALL else 150


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyStack]:
    """The whole service, which loses processes and calls."""
    with faulty(tmp_path_factory.mktemp("journeys"), database_settings()) as running:
        yield running


@pytest.fixture(scope="module")
def found(stack: FaultyStack) -> Found:
    """All the jobs at once, and what is there when they are back."""
    journeys.begin(stack, CASES)
    journeys.go(stack, CASES, seconds=SECONDS)
    for case in CASES:
        if case.name == "replayed":
            assert journeys.replay(stack, case) >= len(TAKEN)
    journeys.settle(stack)
    return journeys.look(stack)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_job_ends_right_whatever_befalls_it(found: Found, case: Case) -> None:
    assert found.wrong_with(case) == []


def test_every_step_that_a_task_takes_is_one_at_which_it_dies(
    found: Found, stack: FaultyStack
) -> None:
    taken = {f"{task}.{step}" for task, steps in TAKEN.items() for step in steps}
    seen = {step for step in stack.seen() if step.partition(".")[0] in TAKEN}
    assert taken - seen == set()
