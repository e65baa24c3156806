"""A worker that dies before any one of its steps: statement, call, message."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from pytest_django import Settings

from gas.models import Discard, Job, Notice, Status, User, Webhook, WebhookEvent
from gas.models.webhooks import NEWS
from gas.sealing import seal
from gas.storage.locations import results
from gas.webhooks.signing import new_secret
from tests.seams.outcome import LARGE, OUTPUTS, at_hand
from tests.seams.people import RECORDS
from tests.seams.world import World, read

pytestmark = pytest.mark.in_memory

HOOK = {"secret": seal(new_secret()), "events": list(WebhookEvent)}

Prepare = Callable[[World, User], Job]


@pytest.fixture(autouse=True)
def long_retention(settings: Settings) -> None:
    """The hours of these tests bring no job to the archive by themselves."""
    settings.FREE_RETENTION = timedelta(days=7)


def annotated_not_notified(world: World, owner: User) -> Job:
    job = world.queued(owner)
    world.broker.deliver("annotate")
    return job


def thawing_slowly(world: World, owner: User) -> Job:
    world.archive.polls = 1
    return world.thawing(owner)


def has_its_results(world: World, job: Job, *, mails: list[str]) -> None:
    assert (read(job).status, read(job).variants) == (Status.COMPLETED, RECORDS)
    assert at_hand(world, job) == OUTPUTS
    keys = {file.key for file in job.files.all()}
    assert set(world.storage.under(job.prefix)) == keys
    assert world.archive.copies == {}
    assert_told(world, mails)


def is_archived(world: World, job: Job, *, mails: list[str]) -> None:
    assert read(job).status == Status.ARCHIVED
    assert at_hand(world, job) == OUTPUTS
    assert len(world.archive.copies) == len(LARGE)
    assert {key.rpartition("/")[2] for key in world.storage.under(job.prefix)} == (
        OUTPUTS.keys() - LARGE
    )
    assert_told(world, mails)


def assert_told(world: World, mails: list[str]) -> None:
    """One notice of each kind, sent."""
    assert not Discard.objects.exists()
    assert not Notice.objects.unsent().exists()
    assert sorted(Notice.objects.values_list("kind", flat=True)) == sorted(mails)
    assert set(world.post.sent) == set(mails)


def assert_called(world: World, job: Job) -> None:
    """Every move of the job was told to the webhook, once: no worker died over that."""
    moves = job.events.values_list("before", "after")
    assert sorted(world.receiver.events) == sorted(NEWS[move] for move in moves if move in NEWS)


JOURNEYS: dict[str, tuple[Prepare, Callable[..., None], list[str]]] = {
    "annotate": (World.queued, has_its_results, ["completed"]),
    "notify": (annotated_not_notified, has_its_results, ["completed"]),
    "archive": (World.completed, is_archived, ["completed"]),
    "thaw": (thawing_slowly, has_its_results, ["completed", "restored"]),
    "restore": (World.restoring, has_its_results, ["completed", "restored"]),
}


def watch_destruction(world: World, job: Job) -> None:
    """Whatever is destroyed, the committed rows lead to a copy of every result elsewhere."""
    depth = list(connection.savepoint_ids)

    def check(place: str) -> None:
        assert connection.savepoint_ids == depth, "destroyed inside a transaction"
        for file in job.files.all():
            home = file.archive_id or str(results(file.key))
            assert home != place, f"{place} is the only copy"
            assert home in (world.archive.copies if file.archive_id else world.storage.kept)

    world.storage.before_delete = world.archive.before_delete = check


@pytest.mark.parametrize("task", JOURNEYS)
def test_a_worker_that_dies_before_any_step_changes_nothing_of_the_end(
    world: World, owner: User, task: str
) -> None:
    prepare, expected, mails = JOURNEYS[task]
    Webhook.objects.create(owner=owner, url="https://a.example.org", **HOOK)
    job = prepare(world, owner)
    for step in count():
        with world.on_trial():
            watch_destruction(world, job)
            died = world.dies(task, before=step)
            mailed_in_vain = died and world.fate.steps[-1:] == ["mail.send"]
            world.until_quiet()
            expected(world, job, mails=mails)
            assert len(world.post.sent) == len(mails) + mailed_in_vain
            assert_called(world, job)
        if not died:
            break
    assert step >= 3
