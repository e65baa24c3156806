"""One poller for each thaw, whatever happens to messages and workers meanwhile."""

import random

import pytest
from django.conf import settings
from django.db.models import F

from gas.models import Job, ResultFile, Status, User
from tasks import pipeline
from tasks.sweep import sweep
from tests.seams.world import World, read, state

POLL = settings.THAW_POLL
STEPS = 40


class Troubles:
    """What may happen between two polls; time passes in polls."""

    def __init__(self, world: World, job: Job, seed: int) -> None:
        self.world, self.job = world, job
        self._random = random.Random(seed)
        self.polled = self.deaths = 0

    def happen(self) -> None:
        """One of them, and which is chance."""
        self._random.choice(
            [self.a_message_arrives] * 3
            + [self.a_message_comes_twice, self.a_worker_dies, self.all_messages_are_lost]
            + [self.somebody_sends_again, self.a_poll_passes, self.a_poll_passes, sweep.run]
        )()

    def a_message_arrives(self) -> None:
        if waiting := self.world.broker.arrived("thaw"):
            message = self._random.choice(waiting)
            self.world.broker.waiting.remove(message)
            self.polled += self.world.broker.run(message) == "RETRY"

    def a_message_comes_twice(self) -> None:
        self.world.broker.waiting.extend(self.world.broker.arrived("thaw")[:1])

    def a_worker_dies(self) -> None:
        """Before the claim, while it asks, or between the row and the next message."""
        if self.world.broker.arrived("thaw"):
            self.deaths += self.world.dies("thaw", before=self._random.randrange(12))

    def all_messages_are_lost(self) -> None:
        self.world.broker.lose()

    def somebody_sends_again(self) -> None:
        pipeline.send(read(self.job))

    def a_poll_passes(self) -> None:
        moved = {name: F(name) - POLL for name in ("wake_at", "sent_at", "lease_until")}
        Job.objects.update(**moved)


@pytest.mark.parametrize("seed", range(6))
def test_of_all_messages_one_goes_on_polling_and_each_file_is_asked_for_once(
    world: World, owner: User, seed: int
) -> None:
    world.archive.polls = 10**6
    job = world.thawing(owner)
    troubles = Troubles(world, job, seed)
    for _ in range(STEPS):
        troubles.happen()
    for _ in range(3):
        troubles.a_poll_passes()
        sweep.run()
        for message in world.broker.arrived("thaw")[:]:
            world.broker.waiting.remove(message)
            world.broker.run(message)
    assert (state(job), len(world.broker.arrived())) == (Status.THAWING, 1)
    again = len(world.archive.requests) - len(ResultFile.ARCHIVED_KINDS)
    assert 0 <= again <= troubles.deaths  # who dies after asking leaves no record of it


def test_hours_of_polls_cost_one_message_at_a_time(world: World, owner: User) -> None:
    hours = 5
    world.archive.polls = 10**6
    job = world.thawing(owner)
    troubles = Troubles(world, job, seed=0)
    for _ in range(hours * 6):
        troubles.a_message_arrives()
        assert len(world.broker.arrived()) == 1
        troubles.a_poll_passes()
        sweep.run()
        assert len(world.broker.arrived()) == 1
    assert troubles.polled == hours * 6
