"""S3's events hurry the poll of a job that waits for the archive, and can do nothing else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from celeryconfig import THAWED
from gas.models import Job, ResultFile, Status, User
from gas.storage import queues
from gas.storage.errors import StorageUnavailable
from gas.storage.locations import archived
from gas.storage.queues import Letter
from tasks import thawed
from tasks.sweep import sweep
from tests.seams.world import World, read, state
from tests.unit.domain.rows import claimed

BUCKET = archived("").bucket


def event(
    key: Any, *, bucket: Any = BUCKET, kind: Any = thawed.KIND, source: Any = "aws.s3"
) -> str:
    """An event as EventBridge delivers it, by the example of Amazon's guide."""
    return json.dumps(
        {
            "version": "0",
            "id": "6924de0d-13e2-6bbf-c0c1-b903b753565e",
            "detail-type": kind,
            "source": source,
            "account": "111122223333",
            "time": "2021-11-12T00:00:00Z",
            "region": "us-east-1",
            "resources": [f"arn:aws:s3:::{bucket}"],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket},
                "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184"},
                "request-id": "N4N7GDK58NMKJ12R",
                "requester": "s3.amazonaws.com",
                "restore-expiry-time": "2021-11-13T00:00:00Z",
                "source-storage-class": "GLACIER",
            },
        }
    )


def post(world: World, *bodies: str) -> None:
    """Let messages arrive in the queue of events."""
    lying = world.letters.lying[THAWED.url]
    for body in bodies:
        number = str(len(lying))
        lying.append(Letter(number, body, number))


def left(world: World) -> list[str]:
    """What is still in it."""
    return [letter.body for letter in world.letters.lying[THAWED.url]]


@pytest.fixture
def job(world: World, owner: User) -> Job:
    """A job that was polled, and is to be polled again in minutes."""
    world.archive.polls = 9
    job = world.thawing(owner)
    for file in job.files.exclude(archive_id=""):  # as the archive in S3 calls its copies
        receipt = str(archived(file.key))
        world.archive.copies[receipt] = world.archive.copies[file.archive_id]
        ResultFile.objects.filter(pk=file.pk).update(archive_id=receipt)
    assert world.broker.deliver("thaw") == "RETRY"
    return read(job)


def key_of(job: Job) -> str:
    """The key of one of its archived files."""
    file = job.files.exclude(archive_id="").first()
    assert file is not None
    return file.key


def is_due(job: Job) -> bool:
    """Whether its next poll is due."""
    return Job.objects.filter(pk=job.pk, wake_at__lte=Now()).exists()


def test_an_event_makes_the_poll_due_and_the_archive_is_asked_again(world: World, job: Job) -> None:
    world.broker.lose()
    world.archive.give_all()
    post(world, event(key_of(job)))
    sweep.run()
    assert (is_due(job), left(world)) == (True, [])
    assert world.broker.deliver("thaw") == "SUCCESS"
    assert world.broker.deliver("restore") == "SUCCESS"
    assert state(job) is Status.COMPLETED


def test_events_of_every_file_twice_over_are_one_poll(world: World, job: Job) -> None:
    world.broker.lose()
    keys = job.files.exclude(archive_id="").values_list("key", flat=True)
    post(world, *[event(key) for key in keys for _ in range(2)])
    sweep.run()
    assert (world.broker.names(), left(world)) == (["thaw"], [])


def test_an_event_is_believed_by_nobody_the_archive_decides(world: World, job: Job) -> None:
    post(world, event(key_of(job)))
    sweep.run()
    assert world.broker.deliver("thaw") == "RETRY"
    assert (state(job), is_due(job)) == (Status.THAWING, False)


def test_the_message_that_waited_for_the_poll_before_finds_nothing_due(
    world: World, job: Job
) -> None:
    post(world, event(key_of(job)))
    sweep.run()
    ended = [world.broker.deliver("thaw") for _ in range(2)]
    assert sorted(ended) == ["IGNORED", "RETRY"]
    assert world.broker.names() == ["thaw"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        json.dumps({"Records": []}),
        event(7),
        event(["results/1/1/annotated.vcf.gz"]),
        event("results/1/1/annotated.vcf.gz\x00"),
        event("results/9999999999999999999999/1/annotated.vcf.gz"),
        event("results/\u0661/1/annotated.vcf.gz"),
        event("results/424242/1/annotated.vcf.gz"),
        event("../secrets"),
        json.dumps({"source": "aws.s3", "detail-type": thawed.KIND, "detail": "soon"}),
    ],
)
def test_garbage_and_unknown_keys_are_dropped_and_wake_nothing(
    world: World, job: Job, body: str
) -> None:
    world.broker.lose()
    post(world, body)
    sweep.run()
    assert (is_due(job), world.broker.names(), left(world)) == (False, [], [])


@pytest.mark.parametrize(
    "forged",
    [
        {"bucket": "another-bucket"},
        {"bucket": ["gas-archive"]},
        {"kind": "Object Created"},
        {"kind": ["Object Restore Completed"]},
        {"source": "somebody.else"},
        {"source": None},
    ],
)
def test_what_s3_did_not_say_of_our_archive_wakes_nothing(
    world: World, job: Job, forged: dict[str, Any]
) -> None:
    post(world, event(key_of(job), **forged))
    sweep.run()
    assert (is_due(job), left(world)) == (False, [])


@pytest.mark.parametrize("status", [Status.ARCHIVED, Status.RESTORING, Status.ARCHIVING])
def test_an_event_that_comes_late_or_early_moves_nothing(
    world: World, job: Job, status: Status
) -> None:
    world.broker.lose()
    Job.objects.filter(pk=job.pk).update(status=status)
    before = read(job)
    post(world, event(key_of(job)))
    sweep.run()
    after = read(job)
    assert (after.status, after.wake_at, after.attempt) == (status, before.wake_at, before.attempt)
    assert left(world) == []


def test_an_event_amid_a_poll_is_heard_after_it(world: World, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(wake_at=Now())
    held = claimed(job, Status.THAWING)
    post(world, event(key_of(job)))
    sweep.run()
    assert len(left(world)) == 1
    held.let_go(wake_in=timedelta(minutes=10))
    world.letters.hidden.clear()
    sweep.run()
    assert (is_due(job), left(world)) == (True, [])


def test_an_event_starts_nothing_that_waits_for_staff(world: World, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(wake_at=None, trouble="the archive is locked")
    post(world, event(key_of(job)))
    sweep.run()
    assert (read(job).wake_at, left(world)) == (None, [])


def test_a_queue_that_is_away_keeps_no_sweep_from_its_work(
    world: World, job: Job, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(url: str, *, hidden_for: int) -> list[Letter]:
        raise StorageUnavailable(url)

    monkeypatch.setattr(queues, "receive", away)
    sweep.run()
    assert "what S3 says of thawed copies have to wait" in caplog.text
