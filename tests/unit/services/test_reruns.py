"""Running a job again: in any state, once, within the plan, and for whoever owns it."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from gas.models import Job, Plan, Status, Upload, User
from gas.services import jobs, reruns, submissions
from gas.services.jobs import JobRefused
from gas.storage.locations import inputs
from tests.seams.outcome import OUTPUTS, at_hand, seen_end
from tests.seams.scenes import SITUATIONS, Scene
from tests.seams.scenes import scene as scene
from tests.seams.world import World, read
from tests.unit.tasks.test_events_in_every_state import ENDS

Commit = DjangoCaptureOnCommitCallbacks

#: How the new job ends, by where the old one was; a job that has not finished has no new one, nor
#: has one whose file is gone.
NEW = {
    "waits for its turn": "",
    "waits for annotate": "",
    "waits to be annotated again": "",
    "lost its annotating worker": "",
    "is completed, nobody told": "dated",
    "is completed": "dated",
    "is due for the archive": "dated",
    "waits to be archived again": "dated",
    "lost its archiving worker": "dated",
    "rests amid archiving": "dated",
    "is archived": "dated",
    "is asked back": "kept",
    "waits for its retrieval": "kept",
    "lost its thawing worker": "kept",
    "rests amid thawing": "kept",
    "waits to be restored": "kept",
    "waits to be restored again": "kept",
    "lost its restoring worker": "kept",
    "rests amid restoring": "kept",
    "is a subscriber's": "kept",
    "has failed": "",
    "is cancelled": "dated",
}


@pytest.fixture(autouse=True)
def long_retention(settings: Settings) -> None:
    """The hours of these tests bring no job to the archive by themselves."""
    settings.FREE_RETENTION = timedelta(days=7)


def ended(scene: Scene, job: Job | None) -> str:
    return seen_end(scene.world, job) if job else ""


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_job_in_any_state_run_again_ends_as_without_that_and_so_does_the_new_one(
    scene: Scene, situation: str
) -> None:
    SITUATIONS[situation](scene)
    with scene.world.on_trial():
        again = scene.run_again()
        rested = scene.until_quiet()
        assert (rested + ended(scene, scene.job), ended(scene, again)) == (
            ENDS[situation][0],
            NEW[situation],
        )
    with scene.world.on_trial():
        again = scene.run_again()
        scene.delete()
        scene.world.until_quiet()
        assert list(Job.objects.all()) == ([again] if again else [])
        assert again is None or at_hand(scene.world, again) == OUTPUTS


def test_a_deletion_between_any_two_steps_of_running_again_ends_right(scene: Scene) -> None:
    """Either there is a new job and its file, or neither; transactions are one step to others."""
    SITUATIONS["is completed"](scene)
    depth, outcomes = list(connection.savepoint_ids), set()
    for step in count():
        left = step

        def interfere(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
            nonlocal left
            if connection.savepoint_ids == depth:
                left -= 1
                if left == -1:
                    scene.delete()
            return execute(sql, *args)

        with scene.world.on_trial():
            with connection.execute_wrapper(interfere):
                again = scene.run_again()
            if left >= 0:
                break
            scene.world.until_quiet()
            outcomes.add(ended(scene, again))
            assert Upload.objects.exists() is bool(again)
    assert outcomes <= {"", "dated"}


def test_the_new_job_has_the_settings_of_the_old_one_and_says_whose_it_is(
    world: World, owner: User
) -> None:
    job = world.completed(owner)
    Job.objects.filter(pk=job.pk).update(name="Trio 7", notes="the second run")
    again = reruns.rerun(job=job, actor=owner)
    assert (again.name, again.notes, again.bundle) == ("Trio 7", "the second run", job.bundle)
    assert (again.upload_id, again.owner_id, again.state) == (job.upload_id, owner.pk, "queued")
    event = again.events.get()
    assert (event.actor, event.before, event.after) == ("owner", "", "queued")
    assert event.reason == f"job {job.pk} again"


def test_pressing_twice_makes_one_job_and_one_message(
    world: World, owner: User, django_capture_on_commit_callbacks: Commit
) -> None:
    job = world.completed(owner)
    world.broker.lose()
    with django_capture_on_commit_callbacks(execute=True):
        first = reruns.rerun(job=job, actor=owner, newest=job.pk)
        second = reruns.rerun(job=job, actor=owner, newest=job.pk)
        third = reruns.rerun(job=job, actor=owner)
    assert first == second == third
    assert world.broker.names() == ["annotate"]


def test_a_page_that_is_pressed_again_when_the_new_job_has_ended_leads_there(
    world: World, owner: User
) -> None:
    job = world.completed(owner)
    first = reruns.rerun(job=job, actor=owner, newest=job.pk)
    Job.objects.filter(pk=first.pk).update(status=Status.CANCELLED)
    assert reruns.rerun(job=job, actor=owner, newest=job.pk) == first
    assert reruns.rerun(job=job, actor=owner, newest=first.pk) != first


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_active_jobs": 0}, "0 jobs queued or running"),
        ({"max_upload_bytes": 3}, "your plan takes 3"),
        ({"max_stored_bytes": 3}, "delete jobs"),
    ],
)
def test_the_plan_of_today_holds_for_it(
    world: World, owner: User, limits: dict[str, int], words: str
) -> None:
    job = world.completed(owner)
    Plan.objects.update(**limits)
    with pytest.raises(JobRefused, match=words):
        reruns.rerun(job=job, actor=owner)
    assert Job.objects.get() == job


def test_its_file_is_counted_once(world: World, owner: User) -> None:
    job = world.queued(owner)
    jobs.cancel(job=job, actor=owner)
    Plan.objects.update(max_stored_bytes=read(job).upload.size)
    assert reruns.rerun(job=job, actor=owner).state is Status.QUEUED


def test_a_file_that_is_no_longer_kept_is_not_run_again(world: World, owner: User) -> None:
    job = world.completed(owner)
    Upload.objects.update(removed_at=job.created_at)
    with pytest.raises(JobRefused, match="removed"):
        reruns.rerun(job=job, actor=owner)


def test_a_reference_that_is_no_longer_installed_is_not_run_again(
    world: World, owner: User
) -> None:
    job = world.completed(owner)
    Job.objects.update(bundle="of-yesterday")
    with pytest.raises(JobRefused, match="of-yesterday"):
        reruns.rerun(job=job, actor=owner)


def test_nobody_else_runs_a_job_again(world: World, owner: User, stranger: User) -> None:
    job = world.completed(owner)
    stranger.is_staff = stranger.is_superuser = True
    with pytest.raises(JobRefused, match="owner"):
        reruns.rerun(job=job, actor=stranger)


def test_a_job_deleted_meanwhile_is_not_run_again_though_its_file_is_kept(
    world: World, owner: User
) -> None:
    job = world.completed(owner)
    other = reruns.rerun(job=job, actor=owner)
    jobs.delete(job=job, actor=owner)
    assert str(inputs(other.upload.key)) in world.storage.kept
    with pytest.raises(JobRefused, match="deleted"):
        reruns.rerun(job=job, actor=owner)


def test_a_job_that_was_deleted_in_another_window_is_not_run_again(
    world: World, owner: User
) -> None:
    made = world.completed(owner)
    in_page, in_api = read(made), read(made)
    jobs.delete(job=made, actor=owner)
    with pytest.raises(JobRefused):
        reruns.rerun(job=in_page, actor=owner)
    with pytest.raises(JobRefused):
        submissions.rerun(owner=owner, job=in_api, key=submissions.Key("a", "b"))
    assert not Job.objects.exists()
