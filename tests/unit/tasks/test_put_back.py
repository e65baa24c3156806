"""A database that was put back to an earlier moment: what storage knows better, no more."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models import Model

from celeryconfig import LEASE
from gas.models import (
    Alarm,
    Discard,
    Job,
    JobEvent,
    Notice,
    Reconciliation,
    ResultFile,
    Status,
    Upload,
    User,
)
from gas.services import accounts, jobs
from gas.storage import result_sets
from gas.storage.locations import results
from gas.storage.tombstones import Buried, place_of
from tasks import put_back
from tasks.differences import SAFE_AGE
from tasks.reconcile import compare
from tests.seams.world import World, read, state

TABLES: tuple[type[Model], ...] = (Upload, Job, ResultFile, Notice, Discard)
ANCIENT = SAFE_AGE + timedelta(hours=1)


class Backup:
    """The rows of a moment."""

    def __init__(self) -> None:
        self.rows = {model: list(model._default_manager.values()) for model in TABLES}

    def restore(self) -> None:
        """Make the tables what they were."""
        for model in reversed(TABLES):
            model._default_manager.all().delete()
        for model, rows in self.rows.items():
            model._default_manager.bulk_create(model(**values) for values in rows)


def compared(*, dry_run: bool = False) -> dict[str, int]:
    kept = compare(dry_run=dry_run)
    assert kept is not None
    assert kept == Reconciliation.objects.latest("pk")
    counts: dict[str, int] = kept.counts
    return counts


def at_hand(world: World, job: Job) -> bool:
    """Whether the rows of all files lead to bytes in the bucket of results."""
    return all(
        not file.archive_id and str(results(file.key)) in world.storage.kept
        for file in job.files.all()
    )


def in_archive(world: World, job: Job) -> bool:
    """Whether the rows of the large files lead to copies in the archive."""
    large = job.files.filter(kind__in=ResultFile.ARCHIVED_KINDS)
    return all(file.archive_id in world.archive.copies for file in large)


def archived_since(world: World, owner: User) -> Job:
    job = world.completed(owner)
    backup = Backup()
    assert world.broker.deliver("archive") == "SUCCESS"
    world.until_quiet()
    backup.restore()
    world.broker.lose()
    return job


def restored_since(world: World, owner: User) -> Job:
    job = world.thawing(owner)
    world.broker.lose()
    backup = Backup()
    Job.objects.filter(pk=job.pk).update(sent_at=None)
    world.until_quiet()
    assert state(job) is Status.COMPLETED
    backup.restore()
    world.broker.lose()
    return job


def age_everything(world: World) -> None:
    world.storage.ages = dict.fromkeys(world.storage.kept, ANCIENT)
    world.archive.ages = dict.fromkeys(world.archive.copies, ANCIENT)


@pytest.mark.parametrize("old", [False, True])
def test_results_that_were_archived_since_are_followed_and_not_destroyed(
    world: World, owner: User, old: bool
) -> None:
    job = archived_since(world, owner)
    if old:
        age_everything(world)
    before = dict(world.archive.copies)
    assert not at_hand(world, job)
    assert compared() == {"results that lie elsewhere than their rows say": 1}
    assert world.archive.copies == before
    assert state(job) is Status.ARCHIVED
    assert in_archive(world, job)
    assert not Alarm.objects.exists()
    assert compared() == {}


@pytest.mark.parametrize("old", [False, True])
def test_results_that_came_back_since_are_followed_and_not_destroyed(
    world: World, owner: User, old: bool
) -> None:
    job = restored_since(world, owner)
    if old:
        age_everything(world)
    before = dict(world.storage.kept)
    assert compared() == {"results that lie elsewhere than their rows say": 1}
    assert world.storage.kept == before
    assert state(job) is Status.COMPLETED
    assert at_hand(world, job)
    assert read(job).result_prefix == put_back_prefix(job)
    assert read(job).attempt >= result_sets.attempt_of(read(job).result_prefix)
    assert compared() == {}


def put_back_prefix(job: Job) -> str:
    file = job.files.filter(kind=ResultFile.Kind.VCF).get()
    return file.key.removesuffix(file.name)


def test_who_follows_says_so_in_the_events_of_the_job(world: World, owner: User) -> None:
    job = restored_since(world, owner)
    compared()
    told = JobEvent.objects.filter(job=job, actor=put_back.ACTOR)
    assert [event.after for event in told][-1] == Status.COMPLETED
    assert {event.reason for event in told} == {put_back.WHY}


def test_a_dry_run_tells_and_changes_nothing(world: World, owner: User) -> None:
    job = archived_since(world, owner)
    before = (read(job).status, list(job.files.values()), dict(world.archive.copies))
    assert "results that lie elsewhere than their rows say" in compared(dry_run=True)
    assert (read(job).status, list(job.files.values()), dict(world.archive.copies)) == before


def test_a_job_that_rests_for_want_of_its_copies_goes_on_when_they_are_found(
    world: World, owner: User
) -> None:
    job = world.thawing(owner)
    world.broker.lose()
    claim = Job.objects.claim(job.pk, into=Status.THAWING, worker="a worker", lease=LEASE)
    assert claim is not None
    claim.stall("no such copy")
    here, there = f"{job.prefix}1/", f"{job.prefix}9/"
    copies = world.archive.copies
    world.archive.copies = {at.replace(here, there): held for at, held in copies.items()}
    assert compared() == {"results that lie elsewhere than their rows say": 1}
    world.until_quiet()
    assert (state(job), at_hand(world, job)) == (Status.COMPLETED, True)


def test_other_bytes_in_the_archive_are_not_followed(world: World, owner: User) -> None:
    job = archived_since(world, owner)
    receipt = min(world.archive.copies)
    world.archive.copies[receipt] += b"!"
    assert not put_back.follow(job.pk, dry_run=False)
    assert "results that are missing" in compared()
    assert state(job) is Status.COMPLETED


def test_a_job_whose_results_are_where_they_should_be_is_left_alone(
    world: World, owner: User
) -> None:
    here, away = world.completed(owner), world.archived(owner)
    for job in (here, away):
        assert not put_back.follow(job.pk, dry_run=False)
    assert not put_back.follow(987_654, dry_run=False)


def test_a_deleted_job_does_not_come_back(world: World, owner: User, subscriber: User) -> None:
    job, other = world.completed(owner), world.completed(subscriber)
    backup = Backup()
    jobs.delete(job=job, actor=owner)
    world.until_quiet()
    backup.restore()
    assert Job.objects.filter(pk=job.pk).exists()
    assert compared(dry_run=True)["jobs that their owners deleted"] == 1
    assert compared() == {"jobs that their owners deleted": 1}
    assert list(Job.objects.all()) == [other]
    assert not Upload.objects.filter(pk=job.upload_id).exists()
    assert not Alarm.objects.exists()


def test_a_new_job_under_the_number_of_a_deleted_one_stays(world: World, owner: User) -> None:
    job = world.completed(owner)
    jobs.delete(job=job, actor=owner)
    world.until_quiet()
    world.storage.tombstones = dict.fromkeys(world.storage.tombstones, timedelta(hours=1))
    upload = Upload.objects.create(owner=owner, filename="a", size=1, status="complete")
    Job.objects.create(pk=job.pk, owner=owner, upload=upload, name="New", bundle="demo-grch38")
    assert "jobs that their owners deleted" not in compared()
    assert Job.objects.filter(pk=job.pk).exists()


def test_who_leaves_has_a_tombstone(world: World, owner: User) -> None:
    accounts.leave(user=owner)
    world.until_quiet()
    assert str(place_of(Buried.ACCOUNT, owner.pk)) in world.storage.tombstones


def test_an_account_that_was_left_does_not_come_back(
    world: World, owner: User, stranger: User
) -> None:
    world.completed(owner)
    world.storage.bury(place_of(Buried.ACCOUNT, owner.pk))
    assert compared(dry_run=True) == {"accounts that their owners left": 1}
    assert User.objects.get(pk=owner.pk).is_active
    assert compared() == {"accounts that their owners left": 1}
    left = User.objects.get(pk=owner.pk)
    assert (left.email, left.is_active) == ("", False)
    world.an_hour_passes()
    assert list(User.objects.all()) == [stranger]
    assert not Job.objects.exists()


def test_tombstones_stay_as_long_as_backups_and_no_longer(world: World, owner: User) -> None:
    for ago in (settings.BACKUPS_KEPT - timedelta(hours=1), settings.BACKUPS_KEPT):
        job = world.completed(owner)
        jobs.delete(job=job, actor=owner)
        world.until_quiet()
        stone = next(at for at in world.storage.tombstones if at.endswith(f"/{job.pk}"))
        world.storage.tombstones[stone] = ago
    assert len(world.storage.tombstones) == 2
    assert compared(dry_run=True) == {}
    assert len(world.storage.tombstones) == 2
    compared()
    assert list(world.storage.tombstones.values()) == [settings.BACKUPS_KEPT - timedelta(hours=1)]


def test_no_attempt_begins_under_a_number_that_has_results(world: World, owner: User) -> None:
    job = world.queued(owner)
    backup = Backup()
    for _ in range(2):
        world.until_quiet()
    newest = max(map(result_sets.attempt_of, world.storage.under(job.prefix)))
    backup.restore()
    assert read(job).attempt == 0 < newest
    assert (put_back.raise_attempts(), put_back.raise_attempts()) == (1, 0)
    assert read(job).attempt == newest


@pytest.mark.parametrize(
    ("key", "job", "attempt"),
    [
        ("results/7/3/annotated.vcf.gz", 7, 3),
        ("s3://gas-archive/results/7/3/annotated.vcf.gz", 7, 0),
        ("results/7/x/a", 7, 0),
        ("results/seven/3/a", 0, 3),
        ("elsewhere", 0, 0),
        ("", 0, 0),
    ],
)
def test_keys_tell_their_job_and_attempt(key: str, job: int, attempt: int) -> None:
    assert put_back.job_of(key) == job
    if not key.startswith("s3"):
        assert result_sets.attempt_of(key) == attempt
