"""The one table of queues, and what Celery makes of it."""

import pkgutil
from datetime import timedelta

import pytest

import celeryconfig
import tasks
from celeryconfig import ANNOTATE_LIMIT, LEASE, QUEUES, Queue
from tasks import app

#: Modules of the package that are no tasks.
BESIDES = {
    "alone",
    "announcing",
    "app",
    "dead_letters",
    "delays",
    "depths",
    "differences",
    "disk",
    "draining",
    "entitlement",
    "last_call",
    "leases",
    "leaving",
    "measures",
    "outbox",
    "pipeline",
    "pool",
    "presence",
    "progress",
    "put_back",
    "ready",
    "scratch",
    "setbacks",
    "stuck",
    "thawed",
    "trail",
    "transport",
    "turns",
    "usage",
}


#: A message goes when its task has returned or given it up, and never because something broke.
ACKNOWLEDGED = {
    "acks_late": True,
    "reject_on_worker_lost": True,
    "acks_on_failure": False,
    "acks_on_timeout": False,
    "ignore_result": True,
}


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    app.loader.import_default_modules()


def test_module_task_and_queue_bear_the_same_name() -> None:
    modules = {module.name for module in pkgutil.iter_modules(tasks.__path__)} - BESIDES
    own = {name for name in app.tasks if not name.startswith("celery.")}
    assert modules == own == set(QUEUES)
    assert {name: app.tasks[name].__module__ for name in own} == {
        name: f"tasks.{name}" for name in own
    }


@pytest.mark.parametrize("queue", QUEUES.values(), ids=list(QUEUES))
def test_every_task_has_its_queue_and_its_limit(queue: Queue) -> None:
    task = app.tasks[queue.name]
    assert app.amqp.router.route({}, queue.name)["queue"].name == queue.name
    assert task.time_limit == queue.time_limit.total_seconds()
    assert task.max_retries is None
    assert {name: getattr(task, name) for name in ACKNOWLEDGED} == ACKNOWLEDGED


@pytest.mark.parametrize("queue", QUEUES.values(), ids=list(QUEUES))
def test_every_queue_has_dead_letters_and_a_bound_on_tries(queue: Queue) -> None:
    assert queue.dead_letter_name == f"{queue.queue_name}-dead"
    assert queue.max_receives >= 3
    predefined = celeryconfig.broker_transport_options["predefined_queues"]
    assert isinstance(predefined, dict)
    assert predefined[queue.queue_name]["url"] == queue.url
    assert queue.url.endswith(f"/{queue.queue_name}")


@pytest.mark.parametrize("queue", QUEUES.values(), ids=list(QUEUES))
def test_a_message_that_comes_back_finds_the_lease_run_out(queue: Queue) -> None:
    assert queue.visibility_timeout > LEASE.total_seconds()


def test_the_pool_never_ends_a_task_before_the_annotator_is_ended() -> None:
    assert QUEUES["annotate"].time_limit >= ANNOTATE_LIMIT + timedelta(minutes=10)


def test_a_name_that_is_no_queue_is_not_made_one() -> None:
    assert not app.conf.task_create_missing_queues
    assert {queue.name for queue in app.conf.task_queues} == set(QUEUES)


def test_beat_sweeps_and_reconciles_and_drops_what_comes_late() -> None:
    entries = celeryconfig.beat_schedule
    assert {name: entry["task"] for name, entry in entries.items()} == {
        "sweep": "sweep",
        "reconcile": "reconcile",
    }
    assert all(entry["options"] == {"expires": 900} for entry in entries.values())


def test_no_feature_is_on_that_sqs_cannot_carry() -> None:
    assert not app.conf.worker_enable_remote_control
    assert not app.conf.worker_send_task_events
    assert app.conf.result_backend is None
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.accept_content == ["json"]
