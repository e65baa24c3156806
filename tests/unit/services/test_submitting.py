"""From an upload to a job: looked at, within the plan, once."""

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from gas.models import Discard, Job, Plan, ResultFile, Status, Upload, User
from gas.services import jobs, limits, uploads
from gas.services.jobs import JobRefused
from gas.services.uploads import UploadRefused
from gas.storage.errors import StorageUnavailable
from gas.storage.locations import inputs
from tasks import pipeline
from tests.seams.storage import digest
from tests.seams.world import VCF, World, upgrade

Commit = DjangoCaptureOnCommitCallbacks


def sent(world: World, owner: User, content: bytes | None = VCF, name: str = "a.vcf") -> Upload:
    """An upload whose bytes have arrived, or have not."""
    upload = uploads.begin(owner=owner, filename=name).upload
    if content is not None:
        world.storage.kept[str(inputs(upload.key))] = content
    return upload


def test_a_good_file_becomes_a_queued_job_and_two_messages(
    world: World, owner: User, django_capture_on_commit_callbacks: Commit
) -> None:
    upload = sent(world, owner)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.submit(upload=upload, name=" Cohort ")
        assert world.broker.names() == []  # nothing leaves before the row is there
    assert (job.state, job.name, job.owner) == (Status.QUEUED, "Cohort", owner)
    assert (upload.status, upload.size) == (Upload.Status.COMPLETE, len(VCF))
    assert upload.etag == digest(VCF)
    event = job.events.get()
    assert (event.actor, event.before, event.after) == ("owner", "", "queued")
    message = world.broker.take("annotate")
    assert message.args == (job.pk,)
    assert message.embedded["chain"][0]["task"] == "notify"


def test_a_job_without_a_name_is_called_as_the_file(world: World, owner: User) -> None:
    assert jobs.submit(upload=sent(world, owner, name="x/trio.vcf")).name == "trio.vcf"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("trio\u202efcv.exe", "triofcv.exe"),
        ("one\r\ntwo\x00\t", "onetwo"),
        ("größe 家系", "größe 家系"),
        ("n" * 300, "n" * 200),
        (" \u200f\n", "a.vcf"),
    ],
)
def test_the_name_of_a_job_keeps_to_its_line(
    world: World, owner: User, name: str, shown: str
) -> None:
    assert jobs.submit(upload=sent(world, owner), name=name).name == shown


def test_asking_twice_makes_one_job_and_one_message(
    world: World, owner: User, django_capture_on_commit_callbacks: Commit
) -> None:
    upload = sent(world, owner)
    with django_capture_on_commit_callbacks(execute=True):
        first = jobs.submit(upload=upload)
        again = jobs.submit(upload=Upload.objects.get(pk=upload.pk), name="Other")
    assert first == again
    assert (Job.objects.count(), world.broker.names()) == (1, ["annotate"])


def test_asking_again_is_answered_beyond_the_plan_too(world: World, owner: User) -> None:
    upload = sent(world, owner)
    first = jobs.submit(upload=upload)
    Plan.objects.update(max_active_jobs=1)
    assert jobs.submit(upload=upload) == first


def test_a_queue_that_is_down_leaves_the_job_to_the_sweeper(
    world: World,
    owner: User,
    django_capture_on_commit_callbacks: Commit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def down(job: Job, *, countdown: float) -> None:
        raise pipeline.QueueUnavailable("no queue")

    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr(pipeline, "send", down)
        job = jobs.submit(upload=sent(world, owner))
    assert job.state is Status.QUEUED
    world.an_hour_passes()
    assert world.broker.names() == ["annotate"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"not a VCF", "VCF"),
        (b'{"htsget": {"urls": []}}', "JSON"),
        (b"PK\x03\x04", "zip"),
    ],
)
def test_what_is_no_vcf_is_refused_and_destroyed(
    world: World, owner: User, content: bytes, words: str
) -> None:
    upload = sent(world, owner, content)
    with pytest.raises(UploadRefused, match=words):
        jobs.submit(upload=upload)
    upload.refresh_from_db()
    assert upload.status == Upload.Status.REFUSED
    assert words in upload.refusal
    assert world.storage.kept == {}
    assert not Discard.objects.due().exists()
    assert not Job.objects.exists()


def test_what_the_form_of_a_refused_file_sends_once_more_is_destroyed_too(
    world: World, owner: User
) -> None:
    upload = sent(world, owner, b"not a VCF")
    with pytest.raises(UploadRefused):
        jobs.submit(upload=upload)
    world.storage.kept[str(inputs(upload.key))] = b"sent once more"
    for _ in range(3):  # the form is good for an hour, and for what it began to send within that
        world.an_hour_passes()
    assert world.storage.kept == {}
    assert not Discard.objects.exists()


def test_a_refused_upload_stays_refused_whatever_arrives_later(world: World, owner: User) -> None:
    upload = sent(world, owner, b"not a VCF")
    with pytest.raises(UploadRefused):
        jobs.submit(upload=upload)
    world.storage.kept[str(inputs(upload.key))] = VCF
    with pytest.raises(UploadRefused, match="VCF"):
        jobs.submit(upload=upload)


def test_a_file_larger_than_the_plan_is_refused_and_destroyed(world: World, owner: User) -> None:
    Plan.objects.filter(name="free").update(max_upload_bytes=len(VCF) - 1)
    upload = sent(world, owner)
    with pytest.raises(UploadRefused, match="your plan takes"):
        jobs.submit(upload=upload)
    assert world.storage.kept == {}


def test_a_file_that_has_not_arrived_may_still_come(world: World, owner: User) -> None:
    upload = sent(world, owner, None)
    with pytest.raises(UploadRefused, match="not arrived"):
        jobs.submit(upload=upload)
    assert upload.status == Upload.Status.PENDING
    world.storage.kept[str(inputs(upload.key))] = VCF
    assert jobs.submit(upload=upload).state is Status.QUEUED


@pytest.mark.parametrize("replacement", [b"not a VCF at all", None])
def test_a_file_that_is_replaced_while_it_is_looked_at_is_asked_for_again(
    world: World, owner: User, replacement: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = sent(world, owner)
    place = str(inputs(upload.key))

    def replaced(step: str) -> None:
        if step == "objects.read_start":
            world.storage.kept.pop(place)
            if replacement:
                world.storage.kept[place] = replacement

    monkeypatch.setattr(world.fate, "step", replaced)
    with pytest.raises(UploadRefused, match="changed"):
        jobs.submit(upload=upload)
    assert upload.status == Upload.Status.PENDING


def test_a_file_that_is_deleted_in_another_window_while_it_is_looked_at_is_refused(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploads.begin(owner=owner, filename="a.vcf").upload
    world.storage.kept[str(inputs(upload.key))] = VCF

    def meanwhile(verb: str) -> None:
        if verb == "objects.read_start":
            Upload.objects.all().delete()

    monkeypatch.setattr(world.fate, "step", meanwhile)
    with pytest.raises(UploadRefused, match="choose the file again"):
        jobs.submit(upload=upload)
    assert not Job.objects.exists()


def test_storage_that_is_down_while_a_refused_file_goes_does_not_hide_the_refusal(
    world: World, owner: User
) -> None:
    upload = sent(world, owner, b"not a VCF")

    def down(place: str) -> None:
        raise StorageUnavailable(place)

    world.storage.before_delete = down
    with pytest.raises(UploadRefused, match="VCF"):
        jobs.submit(upload=upload)
    assert {discard.place for discard in Discard.objects.all()} == {str(inputs(upload.key))}
    world.storage.before_delete = lambda place: None
    world.an_hour_passes()
    assert world.storage.kept == {}


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_a_plan_allows_so_many_jobs_at_once(world: World, owner: User, status: Status) -> None:
    Plan.objects.filter(name="free").update(max_active_jobs=1)
    first = jobs.submit(upload=sent(world, owner))
    Job.objects.filter(pk=first.pk).update(status=status)
    second = sent(world, owner)
    with pytest.raises(JobRefused, match="1 job queued or running"):
        jobs.submit(upload=second)
    Job.objects.filter(pk=first.pk).update(status=Status.CANCELLED)
    assert jobs.submit(upload=second).state is Status.QUEUED


def test_a_plan_is_read_fresh(world: World, owner: User) -> None:
    Plan.objects.filter(name="free").update(max_active_jobs=0)
    upload = sent(world, owner)
    with pytest.raises(JobRefused):
        jobs.submit(upload=upload)
    upgrade(owner)
    assert jobs.submit(upload=upload).state is Status.QUEUED


def test_a_plan_keeps_so_many_bytes_until_jobs_are_deleted(
    world: World, owner: User, stranger: User
) -> None:
    jobs.submit(upload=sent(world, stranger))
    first = jobs.submit(upload=sent(world, owner))
    ResultFile.objects.create(job=first, kind="vcf", key="a", size=100)
    ResultFile.objects.create(job=first, kind="tsv", key="b", size=10**9, archive_id="asleep")
    assert limits.room_of(owner).kept_bytes == len(VCF) + 100
    Plan.objects.filter(name="free").update(max_stored_bytes=2 * len(VCF) + 99)
    second = sent(world, owner)
    with pytest.raises(JobRefused, match="delete jobs"):
        jobs.submit(upload=second)
    jobs.delete(job=first, actor=owner)
    assert jobs.submit(upload=second).state is Status.QUEUED


def test_jobs_of_others_do_not_count(world: World, owner: User, stranger: User) -> None:
    Plan.objects.filter(name="free").update(max_active_jobs=1)
    jobs.submit(upload=sent(world, stranger))
    assert jobs.submit(upload=sent(world, owner)).state is Status.QUEUED


def test_the_example_is_a_job_like_any_other(world: World, owner: User) -> None:
    job = jobs.submit_example(owner=owner)
    assert (job.state, job.name) == (Status.QUEUED, "Example")
    assert world.storage.kept[str(inputs(job.upload.key))] == jobs.EXAMPLE.read_bytes()


def test_an_example_beyond_the_plan_leaves_nothing_behind(world: World, owner: User) -> None:
    Plan.objects.filter(name="free").update(max_active_jobs=0)
    with pytest.raises(JobRefused):
        jobs.submit_example(owner=owner)
    assert world.storage.kept == {}
    assert Upload.objects.get().status == Upload.Status.REFUSED


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("C:\\data\\a.vcf", "a.vcf"),
        ("../../etc/passwd", "passwd"),
        ("a\x00b\u202e.vcf", "ab.vcf"),
        ("", "unnamed"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_file_name_is_shown_and_never_a_path(
    world: World, owner: User, filename: str, shown: str
) -> None:
    upload = uploads.begin(owner=owner, filename=filename).upload
    assert upload.filename == shown
    assert upload.key == f"inputs/{owner.pk}/{upload.pk}/input.vcf"
