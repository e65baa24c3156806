"""What is measured of rows, by the clock of the database."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from gas.models import Status, User
from tasks import measures
from tests.seams.world import World
from tests.unit.domain.rows import job_in

DAY = timedelta(days=1)


@pytest.mark.parametrize("wrong", [DAY, -DAY])
def test_a_machine_with_a_wrong_clock_tells_how_long_a_step_has_waited(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch, wrong: timedelta
) -> None:
    job_in(Status.QUEUED, owner, wake_at=Now() - timedelta(hours=2))
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + wrong)
    waited = measures.oldest_due()
    assert 2 * 3600 <= waited.pop("queued") < DAY.total_seconds()
    assert set(waited.values()) == {0.0}
