"""How deep the queues are: asked once for everybody, kept by the minute, and thinned out."""

from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from celeryconfig import QUEUES
from gas.models import QueueState, Sample
from gas.storage import queues
from gas.storage.errors import StorageUnavailable
from tasks import depths
from tests.seams.world import World

pytestmark = pytest.mark.django_db

ALL = 2 * len(QUEUES)  # each queue and its dead letters


def test_the_first_who_looks_asks_for_every_queue(world: World) -> None:
    world.letters.post("thaw", "garbage")
    rows = depths.states()
    assert list(rows) == list(QUEUES)
    assert (rows["thaw"].visible, rows["thaw"].dead) == (0, 1)
    assert len(world.letters.counted) == ALL


def test_whoever_looks_within_seconds_gets_the_same_answer_and_sqs_is_not_asked(
    world: World,
) -> None:
    first = depths.states()
    world.letters.post("thaw", "garbage")
    assert depths.states()["thaw"].dead == first["thaw"].dead == 0
    assert len(world.letters.counted) == ALL


def test_seconds_later_it_is_asked_again_by_one_of_them(world: World) -> None:
    depths.states()
    QueueState.objects.update(asked_at=Now() - depths.FRESH)
    world.letters.post("thaw", "garbage")
    assert depths.states()["thaw"].dead == 1
    assert not depths._claimed(depths.FRESH)
    assert len(world.letters.counted) == 2 * ALL


def test_a_silent_sqs_leaves_what_was_known_with_its_age(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    depths.states()
    QueueState.objects.update(asked_at=Now() - depths.FRESH, read_at=Now() - timedelta(hours=1))

    def silent(url: str) -> queues.Counts:
        raise StorageUnavailable(url)

    monkeypatch.setattr(queues, "counts", silent)
    rows = depths.states()
    assert {row.visible for row in rows.values()} == {0}
    assert all(row.read_at and row.read_at < timezone.now() - depths.FRESH for row in rows.values())


def test_a_minute_is_kept_once_with_what_the_sweep_found(world: World) -> None:
    world.letters.post("thaw", "garbage")
    for found in ({"dead letters": 2, "alarms": 0}, {"dead letters": 7}):
        depths.note_minute(found)
    sample = Sample.objects.get()
    assert sample.swept == {"dead letters": 2}
    assert sample.queues["thaw"] == [0, 0, 0, 1]
    assert (sample.at.second, sample.at.microsecond) == (0, 0)


def test_old_minutes_are_thinned_out_and_go_so_that_their_number_is_bounded(world: World) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    minutes = [now - timedelta(minutes=ago) for ago in range(1, 40 * 60)]
    Sample.objects.bulk_create([Sample(at=at) for at in minutes])
    depths.note_minute({})
    kept: list[datetime] = list(Sample.objects.order_by("at").values_list("at", flat=True))
    assert now - kept[0] <= depths.KEPT
    dense = [at for at in kept if at >= now - depths.DENSE]
    assert len(dense) >= 120
    assert {at.minute % depths.THINNED_TO for at in kept if at not in dense} == {0}
    assert len(kept) <= 121 + 25 * 6
