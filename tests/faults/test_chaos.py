"""A small run of `make chaos`, the same every time."""

from pathlib import Path

import pytest

from dev.chaos.run import Run
from tests.pipeline.conftest import database_settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

JOBS, SEED, STRIKES = 16, 7, 12


def test_every_job_of_a_bad_day_comes_to_rest_once(tmp_path: Path) -> None:
    database = database_settings().get("DATABASE_URL")
    found = Run(tmp_path / "chaos", JOBS, SEED, database, strikes=STRIKES).play()
    assert not found.wrong
    assert found.figures["jobs"] > JOBS / 2
    assert sum(found.faults.values()) >= STRIKES / 2
