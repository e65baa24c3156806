"""A message that finds its job elsewhere does nothing, whatever it is for."""

import pytest

from gas import mail
from gas.models import CLAIMED_FROM, Job, Notice, Status, User
from gas.services import jobs
from tasks import app
from tests.seams.world import World
from tests.unit.domain.rows import claimed, job_in

INTO = {
    "annotate": Status.RUNNING,
    "archive": Status.ARCHIVING,
    "thaw": Status.THAWING,
    "restore": Status.RESTORING,
}
ELSEWHERE = [
    (task, status)
    for task, into in INTO.items()
    for status in Status
    if status not in (into, CLAIMED_FROM[into])
]


#: What sends mails really, of which the world is a stand-in.
SEND = mail.send

GUARDED = 'UPDATE "gas_job" SET'


def dropped(world: World, task: str, job: Job) -> None:
    """Deliver a message in vain: it asks for the job, and touches nothing."""
    before = Job.objects.values().get(pk=job.pk)
    app.send_task(task, [job.pk])
    with world.fate.dying_before(None):
        assert world.broker.deliver(task) == "IGNORED"
    assert set(world.fate.steps) == {GUARDED}
    assert Job.objects.values().get(pk=job.pk) == before
    assert world.broker.names() == []


@pytest.mark.parametrize(("task", "status"), ELSEWHERE)
def test_a_message_for_a_job_that_is_elsewhere_is_dropped(
    world: World, subscriber: User, task: str, status: Status
) -> None:
    dropped(world, task, job_in(status, subscriber))


@pytest.mark.parametrize("task", INTO)
def test_a_message_for_a_job_that_another_worker_holds_is_dropped(
    world: World, owner: User, subscriber: User, task: str
) -> None:
    into = INTO[task]
    job = job_in(CLAIMED_FROM[into], subscriber if task == "thaw" else owner)
    claimed(job, into, worker=f"{task}@elsewhere another-message")
    dropped(world, task, job)


@pytest.mark.parametrize("task", INTO)
def test_a_message_for_a_job_that_is_not_due_is_dropped(
    world: World, owner: User, subscriber: User, task: str
) -> None:
    job = job_in(CLAIMED_FROM[INTO[task]], subscriber if task == "thaw" else owner, wake_at=None)
    dropped(world, task, job)


@pytest.mark.parametrize("task", INTO)
def test_a_message_for_no_job_at_all_is_dropped(world: World, task: str) -> None:
    app.send_task(task, [0])
    assert world.broker.deliver(task) == "IGNORED"


def test_a_message_about_mails_sends_none_that_is_not_owed(world: World, owner: User) -> None:
    app.send_task("notify", [job_in(Status.COMPLETED, owner).pk])
    assert world.broker.deliver("notify") == "SUCCESS"
    assert world.post.sent == []


def test_a_job_that_is_deleted_as_its_mail_is_sent_is_no_error(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.queued(owner)
    assert world.broker.deliver("annotate") == "SUCCESS"

    def deleted_before(notice: Notice) -> None:
        jobs.delete(job=job, actor=owner)
        SEND(notice)

    monkeypatch.setattr(mail, "send", deleted_before)
    assert world.broker.deliver("notify") == "SUCCESS"
    assert not Notice.objects.exists()
