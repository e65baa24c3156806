"""Every metric is in one table, told in CloudWatch's format, and costs nothing while it is off."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from gas import mail, metrics
from gas.metrics import METRICS, Metric, Tally
from gas.models import Job, Status, User
from gas.services import jobs, uploads
from gas.storage import clients
from tasks import transport
from tests.seams.world import World, upgrade

Measured = list[dict[str, Any]]


class Lines(logging.Handler):
    """Keeps the measurements that were told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Measured = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(json.loads(record.getMessage()))


@pytest.fixture
def told(settings: Settings) -> Iterator[Measured]:
    """Measurements, which are on."""
    settings.METRICS, settings.METRICS_NAMESPACE = True, "GAS"
    handler = Lines()
    metrics.logger.addHandler(handler)
    yield handler.told
    metrics.logger.removeHandler(handler)


def names(told: Measured) -> set[str]:
    return {each["Name"] for line in told for each in _directive(line)["Metrics"]}


def _directive(line: dict[str, Any]) -> dict[str, Any]:
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert isinstance(directive, dict)
    return directive


def test_no_two_metrics_have_one_name() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_every_metric_of_the_module_is_in_the_table() -> None:
    assert {m for m in vars(metrics).values() if isinstance(m, Metric)} == set(METRICS)


def test_a_measurement_is_a_document_of_the_embedded_metric_format(told: Measured) -> None:
    metrics.measure({metrics.REQUESTS: 1, metrics.REQUEST_TIME: 0.25}, area="api", status="2xx")
    [line] = told
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert _directive(line) == {
        "Namespace": "GAS",
        "Dimensions": [["Area", "Status"]],
        "Metrics": [
            {"Name": "Requests", "Unit": "Count"},
            {"Name": "RequestTime", "Unit": "Seconds"},
        ],
    }
    assert (line["Area"], line["Status"]) == ("api", "2xx")
    assert (line["Requests"], line["RequestTime"]) == (1, 0.25)


def test_a_dimension_that_is_not_in_the_table_is_refused(told: Measured) -> None:
    with pytest.raises(ValueError, match="QueueDepth"):
        metrics.count(metrics.QUEUE_DEPTH, task="annotate")


def test_nothing_is_told_when_nobody_listens(settings: Settings, told: Measured) -> None:
    settings.METRICS = False
    metrics.count(metrics.ALARMS)
    metrics.sqs_calls.add(metrics.SQS_REQUESTS, action="SendMessage")
    metrics.sqs_calls.tell()
    assert told == []


def test_what_happens_all_the_time_is_added_up(told: Measured) -> None:
    tally = Tally()
    for _ in range(3):
        tally.add(metrics.SQS_REQUESTS, action="SendMessage")
    assert told == []
    tally.tell()
    assert [(line["Action"], line["SqsRequests"]) for line in told] == [("SendMessage", 3)]


def way_to_the_archive(world: World, owner: User) -> None:
    world.archived(owner)


def way_back(world: World, owner: User) -> None:
    world.restoring(owner)
    assert world.broker.deliver("restore") == "SUCCESS"


def a_mail_that_waits(world: World, owner: User) -> None:
    world.post.fault = mail.MailUnavailable("away")
    world.queued(owner)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.broker.deliver("notify") == "RETRY"


def a_worker_that_is_lost(world: World, owner: User) -> None:
    job = world.queued(owner)
    Job.objects.filter(pk=job.pk).update(
        status=Status.RUNNING, lease_until=Now() - timedelta(hours=1), lease_owner="lost"
    )
    message = world.broker.take("annotate")
    message.headers["receives"] = "2"
    assert world.broker.run(message) == "SUCCESS"


def a_sweep_that_finds(world: World, owner: User) -> None:
    world.letters.post("annotate", "nonsense")
    world.queued(owner)
    world.broker.lose()
    world.an_hour_passes()


def a_call_of_sqs(world: World, owner: User) -> None:
    clients._count_call("response-received.sqs.SendMessage", {"status_code": 503}, None)
    metrics.sqs_calls.tell()


WAYS: dict[Callable[[World, User], None], set[Metric]] = {
    way_to_the_archive: {
        *(metrics.JOBS, metrics.STEP_WAIT, metrics.TASK_RUN, metrics.RESULT_TIME),
        *(metrics.ARCHIVE_TIME, metrics.MAILS),
    },
    way_back: {metrics.THAW_TIME},
    a_mail_that_waits: {metrics.MAILS},
    a_worker_that_is_lost: {metrics.LEASES_EXPIRED, metrics.REDELIVERIES},
    a_sweep_that_finds: {
        *(metrics.SWEEP_FINDINGS, metrics.OLDEST_DUE, metrics.ALARMS, metrics.QUEUE_DEPTH),
        *(metrics.QUEUE_IN_FLIGHT, metrics.DEAD_LETTERS),
    },
    a_call_of_sqs: {metrics.SQS_REQUESTS, metrics.SQS_ERRORS},
}
#: What requests tell of, in the tests below.
BY_REQUEST = {metrics.REQUESTS, metrics.REQUEST_TIME, metrics.UPLOAD_BYTES}


def test_every_metric_of_the_table_is_told_somewhere() -> None:
    assert set().union(*WAYS.values()) | BY_REQUEST == set(METRICS)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_happens_is_measured(
    world: World,
    owner: User,
    told: Measured,
    way: Callable[[World, User], None],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        way(world, owner)
    assert {metric.name for metric in WAYS[way]} <= names(told)


def test_the_way_of_a_job_tells_its_outcomes_once_each(
    world: World,
    owner: User,
    told: Measured,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        world.archived(owner)
        upgrade(owner)
    assert [line["Outcome"] for line in told if "Jobs" in line] == ["completed", "archived"]


@pytest.mark.django_db
def test_a_request_is_measured_by_class_and_never_by_address(
    client: Client, told: Measured
) -> None:
    client.get("/")
    client.get("/no/such/page/")
    found = [(line["Area"], line["Status"], line["Requests"]) for line in told]
    assert found == [("pages", "2xx", 1), ("nowhere", "4xx", 1)]
    assert all(0 < line["RequestTime"] < 60 for line in told)


def test_the_size_of_a_file_is_measured_when_it_becomes_a_job(
    world: World, owner: User, told: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = world.submitted(owner).upload
    upload.jobs.all().delete()
    monkeypatch.setattr(uploads, "check", lambda **_: None)
    jobs.submit(upload=upload)
    assert [line["UploadBytes"] for line in told if "UploadBytes" in line] == [upload.size]


def test_polls_are_counted_with_what_fails_them(told: Measured) -> None:
    metrics.sqs_calls.forget()
    hub = SimpleNamespace(call_later=lambda *_: None)
    channel: Any = SimpleNamespace(_failed_polls={}, _begun={}, hub=hub, _schedule_queue=None)
    transport.Channel._poll_failed(channel, "annotate", OSError())
    metrics.sqs_calls.tell()
    assert [(line["Action"], line["SqsErrors"]) for line in told] == [("ReceiveMessage", 1)]
