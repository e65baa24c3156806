"""annotate, with the child, storage and queues in memory."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError

from annotator.errors import AnnotatorFailed, InputRefused
from celeryconfig import LEASE
from gas.models import Discard, Job, Notice, ResultFile, Status, Upload, User
from gas.storage.errors import ChecksumMismatch, StorageUnavailable
from gas.storage.locations import inputs
from tasks import pipeline
from tasks.annotate import BROKE_DOWN
from tasks.setbacks import BREAKDOWN, MOST_SETBACKS
from tests.seams.fate import Killed
from tests.seams.people import RECORDS
from tests.seams.world import World, downgrade, read, state, upgrade
from tests.unit.domain.rows import expire

RETRY = settings.RETRY_AFTER.total_seconds()


def left_behind(world: World, job: Job) -> set[str]:
    """Objects in the folder of a job, and what is still to be destroyed."""
    discards = set(Discard.objects.due().values_list("place", flat=True))
    return set(world.storage.under(job.prefix)) | discards


def owed(job: Job) -> list[str]:
    return list(Notice.objects.filter(job=job).values_list("kind", flat=True))


def test_results_are_published_recorded_and_announced(world: World, owner: User) -> None:
    job = world.queued(owner)
    assert world.broker.deliver("annotate") == "SUCCESS"
    done = read(job)
    assert (done.state, done.variants) == (Status.COMPLETED, RECORDS)
    assert done.result_prefix == f"results/{job.pk}/1/"
    assert {file.key for file in job.files.all()} == left_behind(world, job)
    assert owed(job) == ["completed"]
    assert world.broker.deliver("notify") == "SUCCESS"
    assert world.post.sent == ["completed"]


def test_the_date_of_a_free_users_archive_is_in_the_row_and_on_its_message(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    world.broker.deliver("annotate")
    message = world.broker.take("archive")
    assert (message.args, message.delay) == ((job.pk,), settings.FREE_RETENTION.total_seconds())
    done = read(job)
    assert done.wake_at is not None
    assert done.sent_at is not None
    assert done.wake_at - done.sent_at == pytest.approx(
        settings.FREE_RETENTION, abs=timedelta(seconds=1)
    )


def test_results_of_a_subscriber_have_no_date(world: World, subscriber: User) -> None:
    job = world.queued(subscriber)
    world.broker.deliver("annotate")
    assert read(job).wake_at is None
    assert world.broker.names() == ["notify"]


def test_a_researcher_who_subscribes_during_the_run_keeps_the_results(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    world.child.meanwhile = lambda: upgrade(owner)
    world.broker.deliver("annotate")
    assert read(job).wake_at is None
    assert world.broker.names() == ["notify"]


def test_a_subscription_that_ends_during_the_run_gives_the_results_a_date(
    world: World, subscriber: User
) -> None:
    job = world.queued(subscriber)
    world.child.meanwhile = lambda: downgrade(subscriber)
    world.broker.deliver("annotate")
    assert read(job).wake_at is not None
    assert world.broker.names() == ["archive", "notify"]


def test_a_second_message_makes_no_second_result_and_no_second_mail(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    pipeline.send(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.broker.deliver("annotate") == "IGNORED"
    assert world.broker.deliver("notify") == "SUCCESS"
    assert world.broker.names() == ["archive"]
    assert (world.child.runs, world.post.sent) == (1, ["completed"])
    assert job.files.count() == len(ResultFile.NAMES)


def test_a_refused_file_is_destroyed_and_its_owner_told_why(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.child.fault = InputRefused("Line 3 has too few columns.")
    assert world.broker.deliver("annotate") == "SUCCESS"
    failed = read(job)
    assert (failed.state, failed.failure) == (Status.FAILED, "Line 3 has too few columns.")
    assert failed.upload.status == Upload.Status.REFUSED
    assert failed.upload.refusal == "Line 3 has too few columns."
    assert world.storage.kept == {}
    assert left_behind(world, job) == set()
    assert owed(job) == ["failed"]
    assert world.broker.names() == ["notify"]


@pytest.mark.parametrize("replacement", [None, b"##fileformat=VCFv4.2\nanother"])
def test_a_file_that_is_not_the_one_submitted_fails_the_job(
    world: World, owner: User, replacement: bytes | None
) -> None:
    job = world.queued(owner)
    place = str(inputs(job.upload.key))
    world.storage.kept.pop(place)
    if replacement:
        world.storage.kept[place] = replacement
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert state(job) is Status.FAILED
    assert "removed or replaced" in read(job).failure
    assert world.child.runs == 0


def test_a_file_that_changes_on_its_way_to_us_is_fetched_again(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.storage.fault = ChecksumMismatch("changed on the way")
    assert world.broker.deliver("annotate") == "RETRY"
    assert (state(job), read(job).upload.status) == (Status.RUNNING, Upload.Status.COMPLETE)
    world.hurry(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert state(job) is Status.COMPLETED


def test_a_breakdown_is_tried_again_and_in_the_end_admitted(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.child.fault = AnnotatorFailed("a stage died")
    for times in range(1, MOST_SETBACKS // BREAKDOWN + 1):
        assert world.broker.deliver("annotate") == "RETRY"
        assert (state(job), read(job).setbacks) == (Status.RUNNING, times * BREAKDOWN)
        assert world.broker.arrived("annotate")[0].delay == RETRY
        world.hurry(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert (state(job), read(job).failure) == (Status.FAILED, BROKE_DOWN)
    assert world.child.runs == MOST_SETBACKS // BREAKDOWN
    assert world.broker.deliver("notify") == "SUCCESS"
    assert world.post.sent == ["failed"]
    assert read(job).upload.status == Upload.Status.COMPLETE  # it was not the file's fault


def _out_of_memory() -> None:
    raise Killed


def test_a_job_that_kills_its_worker_is_not_tried_for_ever(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.child.meanwhile = _out_of_memory
    for _ in range(MOST_SETBACKS):
        assert world.dies("annotate", before=99)
        expire(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert (state(job), read(job).failure) == (Status.FAILED, BROKE_DOWN)
    assert left_behind(world, job) == set()


@pytest.mark.parametrize(
    "fault", [StorageUnavailable("S3 is down"), OperationalError("the database restarts")]
)
def test_a_fault_that_passes_is_tried_again_and_blamed_on_nobody(
    world: World, owner: User, fault: Exception
) -> None:
    job = world.queued(owner)
    world.child.fault = fault
    assert world.broker.deliver("annotate") == "RETRY"
    assert (state(job), read(job).setbacks, read(job).lease_until) == (Status.RUNNING, 0, None)
    world.child.fault = None
    world.hurry(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.broker.deliver("notify") == "SUCCESS"
    assert (state(job), world.post.sent) == (Status.COMPLETED, ["completed"])


def test_a_fault_nobody_expected_leaves_the_message_and_the_lease(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    message = world.broker.take("annotate")
    world.storage.fault = KeyError("what is this?")
    assert world.broker.run(message) == "FAILURE"
    assert (state(job), world.broker.names()) == (Status.RUNNING, [])
    expire(job)
    assert world.broker.run(message) == "SUCCESS"
    assert state(job) is Status.COMPLETED


def test_a_message_that_comes_back_before_the_lease_of_its_dead_process_ends_waits(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    assert world.dies("annotate", before=3)
    assert world.broker.deliver("annotate") == "RETRY"
    assert world.broker.arrived("annotate")[0].delay == LEASE.total_seconds()
    expire(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.broker.deliver("notify") == "SUCCESS"
    assert (state(job), world.post.sent) == (Status.COMPLETED, ["completed"])


@pytest.mark.parametrize("name", ["summary.json", "annotation.log"])
def test_a_link_among_the_results_is_not_followed(
    world: World, owner: User, tmp_path: Path, name: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"records_in": 1}')

    def plant(outdir: Path) -> None:
        (outdir / name).unlink()
        (outdir / name).symlink_to(secret)

    job = world.queued(owner)
    world.child.spoil = plant
    assert world.broker.deliver("annotate") == "RETRY"
    assert (read(job).setbacks, left_behind(world, job)) == (BREAKDOWN, set())


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"records_in": "many"}'])
def test_counts_that_cannot_be_read_are_a_breakdown_of_ours(
    world: World, owner: User, content: str
) -> None:
    job = world.queued(owner)
    world.child.spoil = lambda outdir: (outdir / "summary.json").write_text(content)
    message = world.broker.take("annotate")
    for _ in range(MOST_SETBACKS):
        assert world.broker.run(message) == "FAILURE"
        expire(job)
    assert world.broker.run(message) == "SUCCESS"
    assert (state(job), read(job).failure) == (Status.FAILED, BROKE_DOWN)
    assert left_behind(world, job) == set()


def test_a_job_is_annotated_against_the_reference_that_it_names(world: World, owner: User) -> None:
    job = world.queued(owner)
    Job.objects.filter(pk=job.pk).update(bundle="older")
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.child.bundles == [settings.BUNDLE.with_name("older")]


def test_a_refused_file_is_written_after_its_job_as_whoever_deletes_both_does(
    world: World, owner: User
) -> None:
    world.queued(owner)
    world.child.fault = InputRefused("Line 3 has too few columns.")
    assert not world.dies("annotate", before=999)
    steps = world.fate.steps
    last_of_job = max(at for at, step in enumerate(steps) if step == 'UPDATE "gas_job" SET')
    assert last_of_job < steps.index('UPDATE "gas_upload" SET')
