"""What the row of a job says while the annotator works on it, and who may write it."""

import logging
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from annotator.errors import AnnotatorFailed, InputRefused
from annotator.progress import STAGES
from gas.models import Job, LeaseLost, Status, User
from gas.views.job_parts import STAGES as IN_WORDS
from tasks.annotate import annotate
from tasks.leases import Heartbeat
from tasks.progress import EVERY_SECONDS, Teller
from tests.seams.world import World, read

pytestmark = pytest.mark.django_db
LEASE = timedelta(minutes=5)


def claimed(job: Job, worker: str = "one") -> Job:
    claim = Job.objects.claim(job.pk, into=Status.RUNNING, worker=worker, lease=LEASE)
    assert claim is not None
    return claim


def beat(claim: Job) -> Heartbeat:
    """A heartbeat that is not started."""
    return Heartbeat(claim, annotate)


def told(job: Job) -> tuple[str, int]:
    row = read(job)
    return row.stage, row.percent


def test_what_the_annotator_says_is_in_the_row_while_it_runs(world: World, owner: User) -> None:
    job = world.queued(owner)
    seen: list[tuple[str, int]] = []
    world.child.meanwhile = lambda: seen.append(told(job))
    world.broker.deliver("annotate")
    assert seen == [("annotate", 25)]


@pytest.mark.parametrize("fault", [None, InputRefused("No."), AnnotatorFailed("Broken.")])
def test_nothing_is_told_of_a_job_that_is_not_annotated_any_more(
    world: World, owner: User, fault: Exception | None
) -> None:
    job = world.queued(owner)
    world.child.fault = fault
    world.broker.deliver("annotate")
    assert told(job) == ("", 0)


def test_each_stage_is_written_down_once_with_its_beginning(world: World, owner: User) -> None:
    job = world.queued(owner)
    claim, begun = claimed(job), timezone.now()
    for stage, percent in [("sort", 1), ("sort", 50), ("annotate", 60), ("write", 99)]:
        claim.tell(stage, percent)
    stages = read(job).stages
    assert [stage for stage, _ in stages] == ["sort", "annotate", "write"]
    moments = [begun, *(datetime.fromisoformat(at) for _, at in stages), timezone.now()]
    assert moments == sorted(moments)
    claim.let_go(wake_in=timedelta(0))
    assert read(job).stages == []


def test_a_job_taken_over_begins_anew(world: World, owner: User) -> None:
    job = world.queued(owner)
    claimed(job).tell("annotate", 70)
    Job.objects.filter(pk=job.pk).update(lease_until=read(job).created_at - LEASE)
    claimed(job, "two")
    assert told(job) == ("", 0)


def test_a_worker_that_lost_the_job_writes_nothing(world: World, owner: User) -> None:
    job = world.queued(owner)
    first = claimed(job)
    Job.objects.filter(pk=job.pk).update(lease_until=read(job).created_at - LEASE)
    claimed(job, "two").tell("sort", 5)
    with pytest.raises(LeaseLost):
        Teller(first, beat(first))("annotate", 0.9)
    assert told(job) == ("sort", 5)


def test_the_row_is_written_at_most_every_two_seconds(world: World, owner: User) -> None:
    job, now = world.queued(owner), [100.0]
    claim = claimed(job)
    teller = Teller(claim, beat(claim), clock=lambda: now[0])
    teller("annotate", 0.1)
    now[0] += EVERY_SECONDS / 2
    teller("annotate", 0.2)
    assert told(job) == ("annotate", 10)
    now[0] += EVERY_SECONDS / 2
    teller("annotate", 0.3)
    assert told(job) == ("annotate", 30)
    teller("done", 1.0)  # nothing follows that could tell it
    assert told(job) == ("done", 100)


def test_a_database_that_is_away_does_not_end_the_work(
    world: World,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    claim = claimed(world.queued(owner))

    def fail(stage: str, percent: int) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(claim, "tell", fail)
    with caplog.at_level(logging.WARNING):
        Teller(claim, beat(claim))("annotate", 0.5)
    assert "was not told: gone" in caplog.text


def test_only_a_running_job_can_have_a_stage(world: World, owner: User) -> None:
    job = world.queued(owner)
    for nonsense in ({"stage": "sort"}, {"percent": 3}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Job.objects.filter(pk=job.pk).update(**nonsense)
    with pytest.raises(IntegrityError), transaction.atomic():
        claimed(job).tell("sort", 101)


def test_every_stage_of_the_annotator_has_words_on_the_page() -> None:
    assert set(IN_WORDS) == {"", *STAGES}
