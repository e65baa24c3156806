"""Workers tell that they live, hear of pauses, and take nothing from a queue that rests."""

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state
from django.db import OperationalError, connections
from django.db.models.functions import Now
from django.utils import timezone

from celeryconfig import QUEUES
from gas.models import QueueState, Worker
from tasks import presence, transport
from tasks.presence import Presence
from tests.seams.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_rests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test pauses no other sees; and its connection outlives a beat."""
    monkeypatch.setattr(connections, "close_all", lambda: None)
    yield
    transport.resting.clear()


def worker(*queues: str) -> Any:
    """A worker of Celery's, as far as we look at it."""
    consumed = dict.fromkeys(queues)
    amqp = SimpleNamespace(queues=SimpleNamespace(consume_from=consumed))
    return SimpleNamespace(
        hostname="annotate@one",
        app=SimpleNamespace(amqp=amqp),
        pool=SimpleNamespace(num_processes=2),
    )


def pause(*names: str) -> None:
    for name in names:
        QueueState.objects.create(name=name, paused_at=Now(), paused_by="operator")


class Request:
    """A task that runs, as Celery's worker knows it."""

    def __init__(self, name: str, *args: object) -> None:
        self.name, self.args = name, args
        self.time_start = datetime(2030, 5, 4, 12, tzinfo=UTC).timestamp()


def test_a_worker_writes_one_row_and_keeps_it_fresh() -> None:
    living = Presence(worker("annotate"))
    living.beat()
    Worker.objects.update(seen_at=Now() - timedelta(minutes=5), started_at=Now() - timedelta(1))
    living.beat()
    row = Worker.objects.get()
    assert (row.name, row.pid, row.queues, row.processes) == (
        "annotate@one",
        os.getpid(),
        ["annotate"],
        2,
    )
    assert timezone.now() - row.seen_at < timedelta(minutes=1)
    assert row.started_at < row.seen_at - timedelta(hours=1)
    assert 20 < row.memory_mb < 4000
    assert row.release


def test_it_tells_what_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Request("annotate", 8)
    waits.time_start = 0.0  # received, and not begun
    monkeypatch.setattr(state, "active_requests", [Request("annotate", 7), Request("sweep"), waits])
    Presence(worker("annotate", "sweep")).beat()
    assert Worker.objects.get().running == [
        {"task": "annotate", "job": 7, "since": "2030-05-04T12:00:00+00:00"},
        {"task": "sweep", "job": None, "since": "2030-05-04T12:00:00+00:00"},
    ]


def test_a_row_that_was_swept_away_comes_back() -> None:
    living = Presence(worker("annotate"))
    living.beat()
    Worker.objects.update(seen_at=Now() - 2 * presence.FORGOTTEN_AFTER)
    presence.forget_lost()
    assert not Worker.objects.exists()
    living.beat()
    assert Worker.objects.get().pk == living.id


def test_the_row_of_a_lost_worker_stays_for_a_while_and_then_goes() -> None:
    Presence(worker("annotate")).beat()
    Worker.objects.update(seen_at=Now() - 2 * presence.LOST_AFTER)
    presence.forget_lost()
    assert Worker.objects.count() == 1


def test_a_worker_that_ends_in_order_leaves_no_row() -> None:
    living = Presence(worker("annotate"))
    living.beat()
    living.end()
    assert not Worker.objects.exists()


def test_a_worker_hears_of_a_pause_and_of_its_end() -> None:
    living = Presence(worker("annotate", "thaw"))
    pause("annotate", "restore")
    living.beat()
    assert transport.resting == {"annotate", "restore"}
    assert Worker.objects.get().resting == ["annotate"]
    QueueState.objects.update(paused_at=None, paused_by="")
    living.beat()
    assert transport.resting == set()
    assert Worker.objects.get().resting == []


def test_a_worker_knows_the_pauses_before_its_first_message() -> None:
    pause("thaw")
    presence.wait_for_pauses()
    assert transport.resting == {"thaw"}


def test_without_a_database_a_starting_worker_takes_nothing_and_a_running_one_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise OperationalError("away")

    monkeypatch.setattr(presence, "hear_of_pauses", away)
    living = Presence(worker("annotate"))
    with caplog.at_level(logging.WARNING, "tasks.presence"):
        living.beat()
        living.beat()
    assert len(caplog.records) == 1
    assert transport.resting == set()
    presence.wait_for_pauses()
    assert transport.resting == set(QUEUES)


def test_what_a_poll_brings_after_the_pause_goes_back_as_a_message_that_was_never_received(
    world: World,
) -> None:
    letter = world.letters.post("thaw", "body")
    queue = QUEUES["thaw"].url
    world.letters.lying[queue] = [letter]
    received = {"MessageId": letter.id, "Body": "body", "ReceiptHandle": letter.receipt}
    transport._put_back(queue, [received])
    assert [each.body for each in world.letters.lying[queue]] == ["body"]
