"""Sweepers at the same moment, and deletions beside workers."""

from contextlib import suppress
from threading import Event

import pytest
from celery.exceptions import Ignore
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from dev.waiting import until
from gas.models import Alarm, Discard, Job, JobEvent, LeaseLost, ResultFile, Status, User
from gas.services import jobs
from tasks.alone import alone
from tasks.sweep import sweep
from tests.database.threads import at_once
from tests.seams.world import World, read
from tests.unit.domain.rows import NEEDS, claimed, job_in
from tests.unit.tasks.test_sweep import LONG_AGO, stuck

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no lock that ends with its connection"
)


def swept() -> None:
    with suppress(Ignore):
        sweep()


def test_sweepers_that_meet_send_each_message_once(world: World, owner: User) -> None:
    stranded = {stuck(Status.RUNNING, owner).pk for _ in range(30)}
    at_once(*[swept] * 4)
    sent = [message.args[0] for message in world.broker.arrived("annotate")]
    assert sorted(sent) == sorted(stranded)


def test_sweepers_that_meet_do_no_harm(world: World, owner: User, subscriber: User) -> None:
    for _ in range(10):
        job_in(Status.QUEUED, owner, wake_at=LONG_AGO, sent_at=LONG_AGO)
        job_in(Status.COMPLETED, owner, wake_at=None)
        job_in(Status.ARCHIVED, subscriber, wake_at=None)
    at_once(*[swept] * 3)
    waiting = [(message.task, message.args) for message in world.broker.arrived()]
    assert {task for task, _ in waiting} == {"annotate", "thaw"}
    assert len(set(waiting)) == 20
    assert max(map(waiting.count, waiting)) <= 3
    assert not Job.objects.filter(status=Status.COMPLETED, wake_at=None).exists()


@on_postgresql
def test_one_sweeps_alone_and_the_next_follows(owner: User) -> None:
    inside, leave = Event(), Event()

    def first() -> bool:
        with alone("sweep") as mine:
            inside.set()
            leave.wait(timeout=120)
            return mine

    def second() -> bool:
        inside.wait(timeout=120)
        with alone("sweep") as mine, alone("reconcile") as other:
            leave.set()
            return mine or not other

    assert at_once(first, second) == [True, False]
    with alone("sweep") as mine:
        assert mine


@on_postgresql
def test_a_lost_sweeper_keeps_nobody_out(owner: User) -> None:
    def lost() -> None:
        with suppress(OperationalError), alone("sweep") as mine:
            assert mine
            connection.close()  # as the end of a process closes it

    def next_one() -> bool:
        with alone("sweep") as mine:
            return mine

    at_once(lost)
    until(next_one, "the server's notice of the lost connection")


def test_an_alarm_that_two_raise_is_one(owner: User) -> None:
    new = at_once(*[lambda: Alarm.raise_once("the same", "text")] * 4)
    assert (sum(new), Alarm.objects.count()) == (1, 1)


def test_a_worker_that_completes_a_job_and_its_owner_who_deletes_it_leave_nothing_or_all(
    world: World, owner: User
) -> None:
    for _ in range(10):
        job = job_in(Status.QUEUED, owner, sent_at=Now())
        worker = claimed(job, Status.RUNNING)

        def complete(worker: Job = worker) -> bool:
            row = ResultFile(job=worker, kind="vcf", key=f"{worker.fresh_prefix}a", size=1)
            try:
                with transaction.atomic():
                    worker.record_results([row])
                    worker.advance(Status.COMPLETED, **NEEDS[Status.COMPLETED])
            except LeaseLost:
                return False
            return True

        def delete(job: Job = job) -> bool:
            jobs.delete(job=job, actor=owner)
            return True

        at_once(complete, delete)
        assert not Job.objects.exists()
        assert not ResultFile.objects.exists()
        assert not JobEvent.objects.exists()
    assert set(Discard.objects.values_list("kind", flat=True)) <= {"object", "prefix"}


def test_a_receipt_recorded_while_its_job_is_deleted_is_given_up_by_one_of_the_two(
    world: World, owner: User
) -> None:
    for _ in range(10):
        job = world.completed(owner)
        world.broker.lose()
        worker = claimed(read(job), Status.ARCHIVING)
        files = list(worker.files.filter(kind__in=ResultFile.ARCHIVED_KINDS))

        def archive(files: list[ResultFile] = files) -> None:
            from_storage = world.archive.copies
            for file in files:
                from_storage[f"archived:{file.key}"] = b"copy"
                mine = ResultFile.objects.filter(pk=file.pk, archive_id="")
                if not mine.update(archive_id=f"archived:{file.key}"):
                    Discard.objects.create(
                        job_id=file.job_id, kind="archive", place=f"archived:{file.key}"
                    )

        def delete(job: Job = job) -> None:
            jobs.delete(job=job, actor=owner)

        at_once(archive, delete)
        assert not Job.objects.exists()
        Discard.objects.update(created_at=LONG_AGO, try_at=LONG_AGO)
        swept()
        assert world.archive.copies == {}
