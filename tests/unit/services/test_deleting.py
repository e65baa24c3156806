"""Deleting a job or all of one's data: in any state, under any worker, nothing stays behind."""

from collections.abc import Callable

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from gas.models import (
    Alarm,
    Discard,
    Job,
    JobEvent,
    Notice,
    ResultFile,
    Status,
    Upload,
    User,
)
from gas.services import accounts, jobs, uploads
from gas.services.jobs import JobRefused
from gas.storage.errors import StorageUnavailable
from tests.seams.world import World, state
from tests.unit.domain.rows import claimed

Prepare = Callable[[World, User], Job]


def cancelled(world: World, owner: User) -> Job:
    job = world.queued(owner)
    jobs.cancel(job=job, actor=owner)
    return job


def held(into: Status, prepare: Prepare) -> Prepare:
    def make(world: World, owner: User) -> Job:
        job = prepare(world, owner)
        claimed(job, into)
        return job

    return make


def restored(world: World, owner: User) -> Job:
    job = world.restoring(owner)
    assert world.broker.deliver("restore") == "SUCCESS"
    return job


STATES: dict[str, Prepare] = {
    "queued": World.queued,
    "running": held(Status.RUNNING, World.queued),
    "completed": World.completed,
    "cancelled": cancelled,
    "archiving": held(Status.ARCHIVING, World.completed),
    "archived": World.archived,
    "thawing": held(Status.THAWING, World.thawing),
    "restoring": held(Status.RESTORING, World.restoring),
    "restored": restored,
}

#: The task that is at work, how its job comes to wait for it, and the seam in whose midst it is.
WORK: dict[str, tuple[Prepare, list[str]]] = {
    "annotate": (World.queued, ["objects.fetch", "child.run", "objects.publish"]),
    "archive": (World.completed, ["archive.store"]),
    "thaw": (World.thawing, ["archive.state", "archive.request_retrieval"]),
    "restore": (World.restoring, ["archive.bring_back"]),
}


def nothing_is_left(world: World) -> None:
    """No row, no bytes and no debt of any job or upload."""
    for model in (Job, JobEvent, Notice, ResultFile, Upload, Discard):
        assert not model._default_manager.exists(), list(model._default_manager.values())
    assert (world.storage.kept, world.archive.copies) == ({}, {})


@pytest.mark.parametrize("where", STATES)
def test_a_job_in_any_state_goes_with_all_its_bytes(world: World, owner: User, where: str) -> None:
    job = STATES[where](world, owner)
    jobs.delete(job=job, actor=owner)
    assert (world.storage.kept, world.archive.copies) == ({}, {})
    world.until_quiet()
    nothing_is_left(world)


@pytest.mark.parametrize(
    ("task", "seam", "times"),
    [(task, seam, n) for task, (_, seams) in WORK.items() for seam in seams for n in (1, 3)],
)
def test_a_worker_at_any_of_its_steps_finds_out_and_leaves_nothing(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch, task: str, seam: str, times: int
) -> None:
    job = WORK[task][0](world, owner)
    seen: list[str] = []

    def step(name: str) -> None:
        seen.append(name)
        if name == seam and seen.count(seam) == times and Job.objects.exists():
            jobs.delete(job=job, actor=owner)

    message = world.broker.take(task)
    monkeypatch.setattr(world.fate, "step", step)
    outcome = world.broker.run(message)
    if seen.count(seam) >= times:
        assert outcome == "IGNORED"
    else:
        jobs.delete(job=job, actor=owner)
    world.until_quiet()
    nothing_is_left(world)
    assert world.broker.failures == []


def test_what_a_worker_wrote_that_never_noticed_goes_a_little_later(
    world: World, owner: User
) -> None:
    job = world.queued(owner)
    worker = claimed(job, Status.RUNNING)
    jobs.delete(job=job, actor=owner)
    world.storage.kept[f"s3://gas-results/{worker.fresh_prefix}annotated.vcf.gz"] = b""
    world.an_hour_passes()
    assert world.storage.kept == {}


def test_what_is_sent_by_a_form_that_is_still_good_goes_with_it(world: World, owner: User) -> None:
    job = world.queued(owner)
    place = f"s3://gas-inputs/{job.upload.key}"
    jobs.delete(job=job, actor=owner)
    world.storage.kept[place] = b"sent once more"
    world.until_quiet()
    nothing_is_left(world)


def test_while_storage_is_down_the_row_goes_and_the_bytes_follow(world: World, owner: User) -> None:
    job = world.completed(owner)

    def down(place: str) -> None:
        raise StorageUnavailable(place)

    world.storage.before_delete = down
    jobs.delete(job=job, actor=owner)
    assert not Job.objects.exists()
    assert world.storage.kept
    world.storage.before_delete = lambda place: None
    world.until_quiet()
    nothing_is_left(world)


@pytest.mark.parametrize("where", STATES)
def test_nobody_else_deletes_a_job(world: World, owner: User, stranger: User, where: str) -> None:
    job = STATES[where](world, owner)
    before = dict(world.storage.kept)
    stranger.is_staff = stranger.is_superuser = True
    with pytest.raises(JobRefused, match="owner"):
        jobs.delete(job=job, actor=stranger)
    assert state(job)
    assert world.storage.kept == before


def test_deleting_twice_is_fine(world: World, owner: User) -> None:
    job = world.queued(owner)
    jobs.delete(job=job, actor=owner)
    jobs.delete(job=job, actor=owner)


def test_an_input_that_another_job_uses_stays(world: World, owner: User) -> None:
    job = world.queued(owner)
    other = Job.objects.create(owner=owner, upload=job.upload, name="again")
    jobs.delete(job=job, actor=owner)
    assert list(world.storage.kept) == [f"s3://gas-inputs/{job.upload.key}"]
    jobs.delete(job=other, actor=owner)
    assert world.storage.kept == {}


def test_an_alarm_about_a_deleted_job_stays_with_staff(world: World, owner: User) -> None:
    job = world.queued(owner)
    Alarm.raise_once("a job", "stuck", job=job)
    jobs.delete(job=job, actor=owner)
    assert Alarm.objects.get().job is None


def test_all_data_of_an_account_goes_and_nobody_elses(
    world: World,
    owner: User,
    stranger: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    world.archived(owner)
    world.completed(owner)
    world.broker.lose()
    world.queued(owner)
    world.broker.lose()
    kept = world.completed(stranger)
    bytes_kept = {
        at for at in world.storage.kept if f"/{kept.pk}/" in at or str(kept.upload_id) in at
    }
    uploads.begin(owner=owner, filename="never sent.vcf")
    with django_capture_on_commit_callbacks(execute=True):
        accounts.leave(user=owner)
    assert set(world.storage.kept) == bytes_kept
    assert world.archive.copies == {}
    assert set(Job.objects.values_list("owner_id", flat=True)) == {stranger.pk}
    assert set(Upload.objects.values_list("owner_id", flat=True)) == {stranger.pk}


def test_an_account_is_removed_with_its_jobs(world: World, owner: User) -> None:
    world.queued(owner)
    owner.delete()
    assert not Job.objects.exists()


def test_cancelling_between_two_tries_leaves_nothing_of_the_first(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.queued(owner)
    published = 0

    def breaks(name: str) -> None:
        nonlocal published
        published += name == "objects.publish"
        if published == 4 and name == "objects.publish":
            raise StorageUnavailable("S3 went away")

    monkeypatch.setattr(world.fate, "step", breaks)
    assert world.broker.deliver("annotate") == "RETRY"
    assert len(world.storage.under(job.prefix)) == 3
    jobs.cancel(job=job, actor=owner)
    world.broker.lose()
    world.until_quiet()
    assert world.storage.under(job.prefix) == {}
