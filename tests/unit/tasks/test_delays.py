"""Delays are the queue's: what a message carries, and what a worker does that is woken early."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import chain

from tasks.annotate import annotate
from tasks.archive import archive
from tasks.notify import notify
from tests.seams.world import World

NOBODY = 0  # the id of no job: a task that gets to its row drops the message
WEEK = 7 * 86400


@pytest.mark.parametrize(
    ("countdown", "timer", "wait"),
    [
        (0, 0, 0),
        (0.2, 1, 0),
        (1, 1, 0),
        (899, 899, 0),
        (900, 900, 0),
        (901, 900, 1),
        (3600, 900, 2700),
        (WEEK, 900, WEEK - 900),
    ],
)
def test_a_countdown_is_the_timer_of_its_message_and_the_rest_travels_with_it(
    world: World, countdown: float, timer: int, wait: int
) -> None:
    archive.apply_async((NOBODY,), countdown=countdown)
    message = world.broker.take("archive")
    assert (message.delay, message.wait) == (timer, wait)
    assert message.headers["eta"] is None


def test_a_time_of_day_is_a_timer_too(world: World) -> None:
    archive.apply_async((NOBODY,), eta=datetime.now(UTC) + timedelta(minutes=20))
    message = world.broker.take("archive")
    assert (message.delay, message.wait) == (900, 300)
    assert message.headers["eta"] is None


def test_a_time_that_has_passed_is_no_delay(world: World) -> None:
    archive.apply_async((NOBODY,), eta=datetime.now(UTC) - timedelta(minutes=20))
    message = world.broker.take("archive")
    assert (message.delay, message.wait) == (0, 0)


def test_a_message_without_a_delay_has_no_timer(world: World) -> None:
    archive.delay(NOBODY)
    assert "DelaySeconds" not in world.broker.take("archive").properties


@pytest.mark.parametrize(
    ("countdown", "timers"),
    [(900, [900]), (901, [900, 1]), (3600, [900] * 4), (4000, [900] * 4 + [400])],
)
def test_a_long_wait_goes_round_until_it_is_over(
    world: World, countdown: int, timers: list[int]
) -> None:
    archive.apply_async((NOBODY,), countdown=countdown)
    seen, ended = [], "RETRY"
    while ended == "RETRY":
        message = world.broker.take("archive")
        seen.append(message.delay)
        ended = world.broker.run(message)
    assert ended == "IGNORED"  # it got to its row
    assert seen == timers
    assert world.broker.names() == []


def test_a_message_that_goes_round_is_the_same_task_and_keeps_its_chain(world: World) -> None:
    chain(annotate.si(NOBODY), notify.si(NOBODY)).apply_async(countdown=1000)
    first = world.broker.take("annotate")
    assert world.broker.run(first) == "RETRY"
    second = world.broker.take("annotate")
    assert second.headers["id"] == first.headers["id"]
    assert second.embedded["chain"] == first.embedded["chain"]
    assert second.embedded["chain"][0]["task"] == "notify"
    assert world.broker.names() == []


def test_however_often_a_message_goes_round_it_goes_on(world: World) -> None:
    archive.apply_async((NOBODY,), countdown=60 * 900)
    for _ in range(59):
        assert world.broker.deliver("archive") == "RETRY"
    assert world.broker.take("archive").headers["retries"] == 59
