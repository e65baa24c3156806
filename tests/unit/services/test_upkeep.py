"""What staff can ask of jobs and messages, and what of it changes what."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from annotator.errors import AnnotatorFailed
from celeryconfig import QUEUES
from gas.models import Job, Notice, Reconciliation, Status, Upload, User
from gas.services import upkeep
from gas.services.jobs import JobRefused
from gas.storage import queues
from gas.storage.errors import StorageUnavailable
from tasks.setbacks import MOST_SETBACKS
from tests.seams.letters import body_of
from tests.seams.world import World, read, state
from tests.unit.domain.rows import job_in


def failed(world: World, owner: User) -> Job:
    """A job that broke down on our side too often."""
    job = world.queued(owner)
    world.child.fault = AnnotatorFailed("died")
    Job.objects.filter(pk=job.pk).update(status=Status.RUNNING, setbacks=MOST_SETBACKS)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert state(job) is Status.FAILED
    world.child.fault = None
    return job


def test_a_failed_job_is_run_again_to_its_end_and_both_mails_are_sent(
    world: World,
    owner: User,
    stranger: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    job = failed(world, owner)
    assert world.broker.deliver("notify") == "SUCCESS"
    with django_capture_on_commit_callbacks(execute=True):
        upkeep.run_again(job=job, actor=stranger)
    queued = read(job)
    assert (queued.state, queued.failure, queued.completed_at, queued.setbacks) == (
        Status.QUEUED,
        "",
        None,
        0,
    )
    event = job.events.last()
    assert event is not None
    assert (event.actor, event.before, event.after) == ("stranger", "failed", "queued")
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.broker.deliver("notify") == "SUCCESS"
    assert (state(job), world.post.sent) == (Status.COMPLETED, ["failed", "completed"])


def test_a_mail_about_the_failure_that_was_not_sent_yet_is_owed_no_more(
    world: World, owner: User
) -> None:
    job = failed(world, owner)
    upkeep.run_again(job=job, actor=owner)
    assert not Notice.objects.filter(job=job).exists()


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.FAILED])
def test_no_other_job_is_run_again(world: World, owner: User, status: Status) -> None:
    job = job_in(status, owner)
    with pytest.raises(JobRefused, match="has not failed"):
        upkeep.run_again(job=job, actor=owner)
    assert state(job) is status
    assert not job.events.exists()


@pytest.mark.parametrize(
    "columns", [{"status": "refused", "refusal": "No."}, {"removed_at": timezone.now()}]
)
def test_a_job_whose_file_is_gone_is_not_run_again(
    world: World, owner: User, columns: dict[str, object]
) -> None:
    job = failed(world, owner)
    Upload.objects.update(**columns)
    with pytest.raises(JobRefused, match="no file"):
        upkeep.run_again(job=job, actor=owner)
    assert state(job) is Status.FAILED


# --- redriving ------------------------------------------------------------------------------------


def moved(world: World, queue: str) -> list[str]:
    return [letter.body for letter in world.letters.lying[QUEUES[queue].url]]


def test_letters_go_back_to_their_queue_and_what_is_about_a_job_is_recorded(
    world: World, owner: User
) -> None:
    job = job_in(Status.FAILED, owner, wake_at=None)
    bodies = ["garbage", body_of("annotate", job.pk), body_of("annotate", 999)] * 5
    for body in bodies:
        world.letters.post("annotate", body)
    world.letters.post("thaw", "other")
    assert upkeep.dead_letters()["annotate"] == 15
    assert upkeep.redrive(queue=QUEUES["annotate"], actor="operator") == 15
    assert moved(world, "annotate") == bodies
    assert world.letters.in_dead_letters("annotate") == []
    assert world.letters.in_dead_letters("thaw") == ["other"]
    assert state(job) is Status.FAILED
    assert set(job.events.values_list("actor", "reason")) == {("operator", "redriven")}


def test_a_redrive_that_dies_between_two_calls_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.letters.post("annotate", "first")

    def dies(*_: object) -> None:
        raise StorageUnavailable("SQS is away")

    with monkeypatch.context() as patch:
        patch.setattr(queues, "delete", dies)
        with pytest.raises(StorageUnavailable):
            upkeep.redrive(queue=QUEUES["annotate"], actor="operator")
    assert moved(world, "annotate") == world.letters.in_dead_letters("annotate") == ["first"]


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_command_redrives_every_queue_or_one_or_only_counts(world: World) -> None:
    for queue in ("annotate", "thaw"):
        world.letters.post(queue, "garbage")
    assert "annotate: 1 dead letter\nnotify: 0 dead" in printed("redrive", "--dry-run")
    assert world.letters.in_dead_letters("annotate")
    assert printed("redrive", "--queue", "thaw") == "thaw: 1 message moved\n"
    assert "annotate: 1 message moved\n" in printed("redrive")
    assert not world.letters.in_dead_letters("annotate")
    with pytest.raises(CommandError, match=r"^There is no such queue; there are annotate, "):
        call_command("redrive", "--queue=nowhere")


def test_a_command_that_cannot_reach_sqs_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(url: str) -> int:
        raise StorageUnavailable("SQS is away")

    monkeypatch.setattr(queues, "depth", away)
    with pytest.raises(CommandError, match="SQS is away"):
        call_command("redrive")


def test_reconciling_by_hand_prints_what_was_found(world: World, owner: User) -> None:
    assert printed("reconcile") == "rows and storage agree\n"
    world.completed(owner)
    world.storage.kept.clear()
    assert "8 results that are missing\n" in printed("reconcile", "--dry-run")
    assert Reconciliation.objects.latest("pk").dry_run
