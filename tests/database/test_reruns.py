"""Running a job again while others want its rows: one new job, and never one without a file."""

from collections.abc import Callable
from functools import partial
from threading import Event

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from gas.models import Job, Status, Upload, User
from gas.services import jobs, reruns
from gas.services.jobs import JobRefused
from gas.storage.locations import inputs
from tasks import differences
from tests.database.threads import at_once
from tests.seams.world import World

TIMES = 5


def again(job: Job, owner: User) -> Job | None:
    try:
        return reruns.rerun(job=job, actor=owner, newest=job.pk)
    except JobRefused:
        return None


def cancelled(world: World, owner: User) -> Job:
    job = world.queued(owner)
    jobs.cancel(job=job, actor=owner)
    return job


def test_two_presses_at_once_make_one_job(world: World, owner: User) -> None:
    job = cancelled(world, owner)
    made = at_once(*[partial(again, job, owner)] * 3)
    assert {each.pk for each in made if each} == {Job.objects.latest("pk").pk}
    assert Job.objects.count() == 2


@pytest.mark.parametrize("order", ["rerun first", "delete first"])
def test_a_job_deleted_while_it_is_run_again_leaves_a_new_job_with_its_file_or_nothing(
    world: World, owner: User, order: str
) -> None:
    for _ in range(TIMES):
        job = cancelled(world, owner)
        calls: list[Callable[[], object]] = [
            partial(again, job, owner),
            partial(jobs.delete, job=job, actor=owner),
        ]
        at_once(*(calls if order == "rerun first" else calls[::-1]))
        new = Job.objects.filter(upload_id=job.upload_id).exclude(pk=job.pk)
        assert not Job.objects.filter(pk=job.pk).exists()
        assert Upload.objects.filter(pk=job.upload_id).exists() is new.exists()
        assert (str(inputs(job.upload.key)) in world.storage.kept) is new.exists()
        new.update(status=Status.CANCELLED)  # room for the next


@pytest.mark.skipif(connection.vendor == "sqlite", reason="a writer of SQLite is alone")
def test_an_input_whose_time_is_over_stays_for_the_job_that_is_just_made_of_it(
    world: World, owner: User
) -> None:
    job = cancelled(world, owner)
    Job.objects.update(completed_at=Now() - 2 * settings.INPUTS_KEPT)

    held = Event()

    def give_up() -> None:
        assert held.wait(timeout=120)
        list(differences.outlived_inputs(dry_run=False))

    def run_again() -> None:
        with transaction.atomic():
            assert again(job, owner)
            held.set()
            wait_for_the_other()

    def wait_for_the_other() -> None:
        """Keep what is held until the other waits for it."""
        with connection.cursor() as cursor:
            for _ in range(1000):
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone()[0]:
                    return
                cursor.execute("SELECT pg_sleep(0.01)")

    at_once(run_again, give_up)
    assert Job.objects.count() == 2
    assert Upload.objects.get().removed_at is None
    assert str(inputs(job.upload.key)) in world.storage.kept
