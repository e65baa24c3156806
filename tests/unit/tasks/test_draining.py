"""A worker that ends: nothing new, polls heard out, and what is not finished given up in order."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state
from django.db import OperationalError

from celeryconfig import LEASE, QUEUES
from gas.models import Job, JobEvent, LeaseLost, Notice, OwnerBusy, Status, User, Webhook
from gas.storage import queues
from gas.storage.errors import StorageUnavailable
from gas.storage.queues import Letter
from tasks import draining, transport
from tasks.draining import Ending, give_up
from tasks.leases import name_of
from tests.seams.letters import body_of
from tests.unit.domain.rows import claim, claimed, job_in

ID = "0b8d4a0e-8f3b-4b0c-9a6b-0c5d6f1e2a77"


def message(task: str, *args: Any, called: str = ID, receives: int = 1) -> Any:
    """A message as kombu gives it to a task."""
    queue = QUEUES[task]
    held = {
        "MessageId": "1",
        "Body": body_of(task, *args),
        "ReceiptHandle": f"receipt of {task}",
        "Attributes": {"ApproximateReceiveCount": str(receives)},
    }
    info = {"sqs_queue": queue.url, "sqs_message": held}
    return SimpleNamespace(headers={"id": called, "task": task}, delivery_info=info)


class Worker:
    """A worker's consumer, with its channel, its pool and its event loop; all in one."""

    def __init__(self) -> None:
        self.polls = False
        self.messages: list[Any] = []
        self.did: list[str] = []
        self.task_consumer = self.channel = self.qos = self.pool = self.hub = self
        self.controller = self
        self._next: list[Callable[[], None]] = []

    def cancel(self) -> None:
        self.did.append("cancel")

    def held(self) -> list[Any]:
        return list(self.messages)

    def kill(self) -> None:
        self.did.append("kill")

    def call_later(self, seconds: float, step: Callable[[], None]) -> None:
        self._next.append(step)

    def turn(self) -> None:
        """One turn of the event loop."""
        waiting, self._next = self._next, []
        for step in waiting:
            step()

    @property
    def is_over(self) -> bool:
        """Whether it looks no more."""
        return not self._next


def status() -> Any:
    """With what status Celery is told to end; None while it is not."""
    return state.should_stop


class Gone(Exception):
    """The process has ended."""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    def leave(status: int) -> None:
        raise Gone(status)

    found = Worker()
    monkeypatch.setattr(state, "should_stop", None)
    monkeypatch.setattr(state, "active_requests", [SimpleNamespace(id=ID)])
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(draining, "hand_back", lambda url, what: found.did.append(f"show {url}"))
    monkeypatch.setattr(draining, "give_up", lambda held: found.did.append(f"give up {len(held)}"))
    return found


@pytest.fixture
def ending(worker: Worker) -> Ending:
    begun = Ending(worker)
    begun.look()
    return begun


def test_a_worker_that_is_told_nothing_goes_on(worker: Worker, ending: Ending) -> None:
    worker.turn()
    assert (worker.did, status(), worker.is_over) == ([], None, False)


def test_it_takes_nothing_more_and_ends_when_polls_and_work_are_over(
    worker: Worker, ending: Ending
) -> None:
    worker.polls, worker.messages = True, [message("annotate", 1)]
    ending.leave()
    worker.turn()
    assert (worker.did, status()) == (["cancel"], None)
    worker.polls = False
    worker.turn()
    assert status() is None
    worker.messages.clear()
    worker.turn()
    assert (status(), worker.is_over) == (0, True)
    assert set(worker.did) == {"cancel"}


def test_it_hands_back_when_polls_are_over_processes_first_rows_next_messages_last(
    worker: Worker, ending: Ending
) -> None:
    begun, waiting = message("annotate", 1), message("thaw", 2, called="another")
    worker.polls, worker.messages = True, [begun, waiting]
    ending.leave_at_once()
    worker.turn()
    assert worker.did == ["cancel"]
    worker.polls = False
    with pytest.raises(Gone, match="0"):
        worker.turn()
    shown = [f"show {QUEUES[task].url}" for task in ("annotate", "thaw")]
    assert worker.did == ["cancel", "cancel", "kill", "give up 1", *shown]


def test_a_worker_with_nothing_in_hand_ends_in_order_however_it_is_told(
    worker: Worker, ending: Ending
) -> None:
    ending.leave_at_once()
    worker.turn()
    assert (worker.did, status()) == (["cancel"], 0)


@pytest.fixture
def rows(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are given up by the connection of the test, which must stay open."""
    monkeypatch.setattr(draining, "connected", nullcontext)


@pytest.mark.usefixtures("rows")
def test_a_job_that_is_given_up_is_taken_at_once_and_its_old_worker_writes_nothing(
    owner: User,
) -> None:
    job = job_in(Status.QUEUED, owner)
    old = claimed(job, Status.RUNNING, worker=name_of("annotate", ID))
    assert claim(job, Status.RUNNING) is None
    give_up([message("annotate", job.pk)])
    new = claimed(job, Status.RUNNING, worker="another")
    assert (new.attempt, new.setbacks) == (2, 0)
    with pytest.raises(LeaseLost):
        old.advance(Status.FAILED, failure="too late")
    [event] = JobEvent.objects.filter(job=job, reason__startswith="handed back")
    assert (event.before, event.after) == (Status.RUNNING, Status.RUNNING)


@pytest.mark.usefixtures("rows")
def test_a_job_that_somebody_else_holds_is_not_given_up(owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    held = claimed(job, Status.RUNNING, worker=name_of("annotate", "another message"))
    give_up([message("annotate", job.pk)])
    held.renew(LEASE)
    assert not JobEvent.objects.filter(job=job, reason__startswith="handed back").exists()


def taken_hook(owner: User, *, worker: str) -> Webhook:
    """A webhook that this worker is calling."""
    hook = Webhook.objects.create(owner=owner, url="https://a.example.org", secret=b"", events=[])
    taken = Webhook.objects.take(hook.pk, worker=worker, lease=LEASE, early=timedelta())
    assert taken is not None
    return taken


@pytest.mark.usefixtures("rows")
def test_mails_and_calls_in_hand_are_given_up_too(owner: User) -> None:
    job = job_in(Status.COMPLETED, owner)
    job.owe(Notice.Kind.COMPLETED)
    assert Notice.objects.get().take(worker=name_of("notify", ID), lease=LEASE)
    hook = taken_hook(owner, worker=name_of("deliver", ID))
    give_up([message("notify", job.pk), message("deliver", hook.pk)])
    assert Notice.objects.get().take(worker="another", lease=LEASE)
    assert Webhook.objects.get().lease_until is None


@pytest.mark.usefixtures("rows")
def test_a_mail_and_a_call_that_somebody_else_makes_are_not_given_up(owner: User) -> None:
    job = job_in(Status.COMPLETED, owner)
    job.owe(Notice.Kind.COMPLETED)
    assert Notice.objects.get().take(worker=name_of("notify", "another message"), lease=LEASE)
    hook = taken_hook(owner, worker=name_of("deliver", "another message"))
    give_up([message("notify", job.pk), message("deliver", hook.pk)])
    assert not Notice.objects.get().take(worker="a third", lease=LEASE)
    with pytest.raises(OwnerBusy):
        Webhook.objects.take(hook.pk, worker="a third", lease=LEASE, early=timedelta())


@pytest.mark.usefixtures("rows")
def test_a_mail_that_rests_after_a_failure_rests_on_when_its_worker_ends(owner: User) -> None:
    job = job_in(Status.COMPLETED, owner)
    job.owe(Notice.Kind.COMPLETED)
    [notice] = Notice.objects.take(worker=name_of("notify", ID), lease=LEASE)
    notice.let_go(wake_in=LEASE)
    give_up([message("notify", job.pk)])
    assert not Notice.objects.get().take(worker="another", lease=LEASE)


@pytest.mark.usefixtures("rows")
def test_a_message_that_is_none_of_ours_is_given_up_without_a_row(owner: User) -> None:
    job = claimed(job_in(Status.QUEUED, owner), Status.RUNNING, worker=name_of("annotate", ID))
    strange = message("annotate", "one")
    give_up([strange])
    assert Job.objects.filter(pk=job.pk).exclude(lease_until=None).exists()


def test_without_a_database_the_messages_go_back_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(draining, "_give_up", away)
    give_up([message("annotate", 1)])
    assert "they run out" in caplog.text


@pytest.mark.parametrize(
    ("receives", "done"), [(1, ["show"]), (4, ["show"]), (5, ["send", "delete"])]
)
def test_a_message_goes_back_as_a_new_one_before_it_would_be_a_dead_letter(
    monkeypatch: pytest.MonkeyPatch, receives: int, done: list[str]
) -> None:
    did: list[str] = []
    for verb in ("show", "send", "delete"):
        monkeypatch.setattr(queues, verb, lambda url, letter, verb=verb: did.append(verb))
    info = message("annotate", 1, receives=receives).delivery_info
    transport.hand_back(info["sqs_queue"], info["sqs_message"])
    assert did == done


def test_a_message_that_sqs_does_not_take_back_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(url: str, letter: Letter) -> None:
        raise StorageUnavailable(url)

    monkeypatch.setattr(queues, "show", away)
    info = message("annotate", 1).delivery_info
    transport.hand_back(info["sqs_queue"], info["sqs_message"])
    assert "SQS will bring it back" in caplog.text
