"""Other systems hear of every move that is news, at least once, by one id, and of nobody's data."""

import json
from collections.abc import Sequence

import pytest
from django.conf import settings
from django.db import transaction

from gas.models import Announcement, Status, User
from gas.storage import topics
from gas.storage.errors import AccessRefused, StorageUnavailable
from gas.storage.topics import Word
from tasks import announcing
from tasks.sweep import sweep
from tests.seams.world import World, upgrade
from tests.unit.domain.rows import claimed, job_in

TOPIC = "arn:aws:sns:us-east-1:111122223333:gas-job-events"


class Topic:
    """What a topic has taken; it refuses the ids that it is told to."""

    def __init__(self) -> None:
        self.taken: list[Word] = []
        self.refused: set[str] = set()
        self.fault: Exception | None = None
        self.dies_after = False

    def publish(self, topic: str, words: Sequence[Word]) -> set[str]:
        assert topic == TOPIC
        assert 0 < len(words) <= topics.BATCH
        if self.fault:
            raise self.fault
        mine = [word for word in words if word.id not in self.refused]
        self.taken += mine
        if self.dies_after:
            raise KeyboardInterrupt
        return {word.id for word in mine}

    def told(self) -> list[str]:
        """The kinds of events that it has taken."""
        return [word.attributes["type"] for word in self.taken]


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    monkeypatch.setattr(settings, "EVENTS_TOPIC", TOPIC)
    found = Topic()
    monkeypatch.setattr(topics, "publish", found.publish)
    return found


def owe(count: int) -> list[str]:
    """Owe so many events; returns their ids."""
    rows = [Announcement(event="job.completed", job_number=n) for n in range(1, count + 1)]
    return [str(row.message_id) for row in Announcement.objects.bulk_create(rows)]


def test_the_whole_way_of_a_job_is_told(world: World, owner: User, topic: Topic) -> None:
    world.restoring(owner)
    assert world.broker.deliver("restore") == "SUCCESS"
    sweep.run()
    news = ["job.started", "job.completed", "job.archived", "job.restored"]
    assert topic.told() == news
    assert not Announcement.objects.exists()
    assert len({word.id for word in topic.taken}) == len(news)


@pytest.mark.django_db
def test_a_failed_job_is_told(owner: User, topic: Topic) -> None:
    job = claimed(job_in(Status.QUEUED, owner), Status.RUNNING)
    job.advance(Status.FAILED, failure="Line 12 of her file has 7 columns.")
    assert announcing.announce() == 2
    assert topic.told() == ["job.started", "job.failed"]


@pytest.mark.django_db
def test_an_event_says_numbers_states_and_links_and_nothing_of_a_person(
    owner: User, topic: Topic
) -> None:
    job = job_in(Status.QUEUED, owner, notes="from the clinic")
    claimed(job, Status.RUNNING).advance(Status.FAILED, failure="Line 12 has 7 columns.")
    announcing.announce()
    said = json.loads(topic.taken[-1].body)
    assert said.keys() == {"id", "type", "timestamp", "data"}
    assert said["data"].keys() == {"job"}
    assert said["data"]["job"].keys() == {"id", "status", "links"}
    assert (said["type"], said["data"]["job"]["id"]) == ("job.failed", job.pk)
    assert said["data"]["job"]["status"] == "failed"
    assert said["id"] == topic.taken[-1].id
    for private in (owner.username, owner.email, job.name, job.upload.filename, "clinic", "Line"):
        assert private not in topic.taken[-1].body


@pytest.mark.django_db
def test_without_a_topic_nothing_is_owed(owner: User) -> None:
    claimed(job_in(Status.QUEUED, owner), Status.RUNNING)
    assert not Announcement.objects.exists()
    owe(1)
    assert announcing.announce() == 0


@pytest.mark.django_db
def test_a_move_that_is_undone_is_not_told(owner: User, topic: Topic) -> None:
    job = job_in(Status.QUEUED, owner)
    with transaction.atomic():
        claimed(job, Status.RUNNING)
        transaction.set_rollback(True)
    assert announcing.announce() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [StorageUnavailable("away"), AccessRefused("not allowed")])
def test_a_topic_that_is_away_is_told_later(topic: Topic, fault: Exception) -> None:
    owe(3)
    topic.fault = fault
    sweep.run()
    assert Announcement.objects.count() == 3
    topic.fault = None
    sweep.run()
    assert (len(topic.taken), Announcement.objects.count()) == (3, 0)


@pytest.mark.django_db
def test_a_sweep_that_dies_after_publishing_repeats_the_same_message(topic: Topic) -> None:
    owe(2)
    topic.dies_after = True
    with pytest.raises(KeyboardInterrupt):
        announcing.announce()
    topic.dies_after = False
    assert announcing.announce() == 2
    first, again = topic.taken[:2], topic.taken[2:]
    assert first == again


@pytest.mark.django_db
def test_what_the_topic_refuses_stands_before_nobody(topic: Topic) -> None:
    ids = owe(25)
    topic.refused = set(ids[:10])
    assert announcing.announce() == 15
    assert [word.id for word in topic.taken] == ids[10:]
    topic.refused = set()
    assert announcing.announce() == 10


@pytest.mark.django_db
def test_one_sweep_tells_no_more_than_its_share(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "MOST_CALLS", 2)
    owe(25)
    assert [announcing.announce() for _ in range(3)] == [20, 5, 0]


def test_an_upgrade_alone_is_no_news(world: World, owner: User, topic: Topic) -> None:
    world.archived(owner)
    announcing.announce()
    topic.taken.clear()
    upgrade(owner)
    assert announcing.announce() == 0
