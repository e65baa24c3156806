"""What else a person can ask of a job: stop it, send it again, download it."""

import pytest

from gas.models import Job, JobEvent, Status, User
from gas.services import jobs
from gas.services.jobs import JobRefused
from gas.storage import objects
from gas.storage.locations import Location
from tests.seams.world import World, read, state
from tests.unit.domain.rows import job_in

STOPPABLE = [Status.QUEUED, Status.RUNNING]
OTHERS = [status for status in Status if status not in STOPPABLE]


@pytest.mark.parametrize("status", STOPPABLE)
def test_a_job_that_has_not_finished_can_be_cancelled(owner: User, status: Status) -> None:
    job = job_in(status, owner)
    jobs.cancel(job=job, actor=owner)
    cancelled = read(job)
    assert (cancelled.state, cancelled.wake_at, cancelled.lease_until) == (
        Status.CANCELLED,
        None,
        None,
    )
    event = job.events.get()
    assert (event.actor, event.before, event.after) == ("owner", status, "cancelled")


@pytest.mark.parametrize("status", OTHERS)
def test_a_job_that_has_finished_cannot_be_cancelled(owner: User, status: Status) -> None:
    job = job_in(status, owner)
    with pytest.raises(JobRefused, match="finished already"):
        jobs.cancel(job=job, actor=owner)
    assert state(job) is status
    assert not JobEvent.objects.exists()


def test_cancelling_twice_writes_one_event(owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    jobs.cancel(job=job, actor=owner)
    with pytest.raises(JobRefused):
        jobs.cancel(job=job, actor=owner)
    assert job.events.count() == 1


def test_a_page_that_shows_an_old_state_cancels_the_job_that_runs_by_now(
    world: World, owner: User
) -> None:
    seen = job_in(Status.QUEUED, owner)
    Job.objects.filter(pk=seen.pk).update(status=Status.RUNNING)
    jobs.cancel(job=seen, actor=owner)
    assert state(seen) is Status.CANCELLED


def test_a_cancelled_job_is_not_annotated(world: World, owner: User) -> None:
    job = world.queued(owner)
    jobs.cancel(job=job, actor=owner)
    assert world.broker.deliver("annotate") == "IGNORED"
    assert (world.child.runs, world.broker.names()) == (0, [])


def test_a_file_in_the_archive_is_not_downloaded(world: World, owner: User) -> None:
    job = world.archived(owner)
    with pytest.raises(JobRefused, match="in the archive"):
        jobs.download_link(file=job.files.get(kind="vcf"))


@pytest.mark.parametrize("letter", ["a", "ß", "\N{DNA DOUBLE HELIX}"])
def test_a_download_keeps_its_extension_however_long_its_jobs_name_is(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch, letter: str
) -> None:
    def saved_as(source: Location, *, filename: str, content_type: str) -> str:
        return objects.disposition(filename)

    monkeypatch.setattr(objects, "presign_download", saved_as)
    job = world.completed(owner)
    Job.objects.filter(pk=job.pk).update(name=letter * 200)
    link = jobs.download_link(file=read(job).files.get(kind="vcf"))
    assert link.rstrip('"').endswith(".annotated.vcf.gz")


def test_counts_are_read_of_an_archived_job_too(world: World, owner: User) -> None:
    job = world.archived(owner)
    assert jobs.summary(job=job)["records_in"] == read(job).variants
    assert "annotation.log of ##fileformat" in jobs.log_text(job=job)
