"""Messages that nobody can finish with: never round and round, and never in silence."""

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dev.local_aws import mails_at
from dev.stack import Ports, Stack
from dev.visitor import Visitor
from dev.waiting import until
from tests.pipeline import samples
from tests.pipeline.conftest import QUICK, database_settings, mails_about, wait_for

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

pytestmark = [pytest.mark.stack, pytest.mark.timeout(500)]

STAFF = "operators@example.org"


def message(task: str, *args: Any) -> str:
    """A message as another release may have sent it."""
    number = str(uuid.uuid4())
    content = json.dumps([args, {}, {"callbacks": None, "errbacks": None, "chain": None}])
    return json.dumps(
        {
            "body": base64.b64encode(content.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": task, "id": number, "root_id": number},
            "properties": {
                "body_encoding": "base64",
                "correlation_id": number,
                "delivery_info": {"exchange": "", "routing_key": "archive"},
                "delivery_mode": 2,
                "delivery_tag": number,
                "priority": 0,
            },
        }
    )


#: What no worker of this release can take, and what no worker of any can.
FOREIGN = ["garbage", '{"Records": []}', message("no_such_task", 1), message("archive", "x", 2)]

#: What a worker takes and drops.
OLD = [message("archive", 999_999), message("notify", 999_999)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The service, somebody to be told of alarms, and bad messages in its midst from the start."""
    settings = QUICK | database_settings() | {"GAS_FREE_RETENTION": "1h", "GAS_ADMINS": STAFF}
    with Stack(tmp_path_factory.mktemp("stack"), Ports.free(), settings) as running:
        client = client_of(running)
        for body in [*FOREIGN, *OLD]:
            client.send_message(QueueUrl=url_of(client, "gas-archive"), MessageBody=body)
        yield running


@pytest.fixture
def sqs(stack: Stack) -> "SQSClient":
    return client_of(stack)


def client_of(stack: Stack) -> "SQSClient":
    """A client of the stack's SQS."""
    return boto3.session.Session(
        aws_access_key_id=stack.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=stack.environment["AWS_DEFAULT_REGION"],
    ).client("sqs", endpoint_url=stack.environment["AWS_ENDPOINT_URL"])


def url_of(sqs: "SQSClient", name: str) -> str:
    return sqs.get_queue_url(QueueName=name)["QueueUrl"]


def depth(sqs: "SQSClient", name: str) -> int:
    """How many messages are in a queue, in sight or not."""
    answer = sqs.get_queue_attributes(
        QueueUrl=url_of(sqs, name),
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )
    return sum(map(int, answer["Attributes"].values()))


def receives(sqs: "SQSClient", name: str) -> int:
    """Receive a message and give it back; returns how often that has been done, 0 without one."""
    answer = sqs.receive_message(
        QueueUrl=url_of(sqs, name), VisibilityTimeout=0, AttributeNames=["ApproximateReceiveCount"]
    )
    return sum(int(m["Attributes"]["ApproximateReceiveCount"]) for m in answer.get("Messages", []))


def outlast_polls(stack: Stack, sqs: "SQSClient", name: str) -> None:
    """Poll an empty queue for longer than a worker does: earlier polls have ended then."""
    longer = 1 + int(stack.environment["GAS_LONG_POLL"].removesuffix("s"))
    answer = sqs.receive_message(QueueUrl=url_of(sqs, name), WaitTimeSeconds=longer)
    assert not answer.get("Messages")


def alarms(stack: Stack) -> str:
    """All that staff have been mailed."""
    mails = mails_at(stack.environment["AWS_ENDPOINT_URL"])
    return "\n".join(mail.text for mail in mails if mail.to == [STAFF])


def test_a_job_whose_messages_die_fails_with_a_sentence_and_mails_and_staff_run_it_again(
    stack: Stack, researcher: Visitor, sqs: "SQSClient", tmp_path: Path
) -> None:
    file = samples.repeated(tmp_path / "dying.vcf", copies=1)
    stack.kill("worker")
    job = researcher.annotate(file)
    number = job.url.rstrip("/").rpartition("/")[2]

    def has_failed() -> bool:
        """Receive whatever there is once more, as a worker that dies over it does."""
        queue = url_of(sqs, "gas-annotate")
        sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0, MaxNumberOfMessages=10)
        return researcher.open(job.url).facts.get("data-status") == "failed"

    until(has_failed, "the job to fail")
    assert "broke down on our side" in researcher.open(job.url).html
    until(lambda: mails_about(stack, file), "the mail to its owner")
    until(lambda: f"Job {number} failed" in alarms(stack), "the mail to staff")
    stack.launch("worker")
    staff = Visitor(stack.site_url)
    staff.sign_in("Staff operator", to="/admin/")
    shown = staff.open(f"/admin/gas/job/{number}/change/")
    asked = staff.submit(shown.form(saying="Retry a stage"))
    staff.submit(asked.form(saying="Retry a stage"), stage="annotate", reason="The worker is back.")
    wait_for(researcher, job.url, "completed")
    assert "Queued again by us" in researcher.open(job.url).html
    until(lambda: len(mails_about(stack, file)) == 2, "the mail about the results")


def test_what_is_no_message_of_ours_rests_in_the_dead_letters_and_staff_are_told(
    stack: Stack, sqs: "SQSClient"
) -> None:
    until(lambda: depth(sqs, "gas-archive") == 0, "the queue to be empty")
    until(lambda: depth(sqs, "gas-archive-dead") == len(FOREIGN), "the foreign messages")
    until(
        lambda: alarms(stack).count("rests in gas-archive-dead") == len(FOREIGN), "one alarm each"
    )
    assert "task no_such_task" in alarms(stack)
    stack.manage("redrive", "--queue", "archive", "--dry-run")
    assert depth(sqs, "gas-archive-dead") == len(FOREIGN)
    stack.manage("redrive", "--queue", "archive")
    assert depth(sqs, "gas-archive-dead") == 0


def press(staff: Visitor, act: str, queue: str) -> str:
    """Do something to a queue on the operators' page; returns that page."""
    asked = staff.open(f"/admin/operations/act/?act={act}&queue={queue}")
    return staff.submit(asked.form(to="/operations/act/"), reason="to see what happens").html


def shown(staff: Visitor, what: str) -> None:
    """Wait until the operators' page says so."""
    until(lambda: what in staff.open("/admin/operations/").html, f"the page to say {what}")


@pytest.fixture
def staff(stack: Stack) -> Visitor:
    visitor = Visitor(stack.site_url)
    visitor.sign_in("Staff operator", to="/admin/")
    return visitor


def test_a_paused_queue_keeps_its_messages_over_a_restart_and_no_try_is_lost(
    stack: Stack, researcher: Visitor, staff: Visitor, sqs: "SQSClient", tmp_path: Path
) -> None:
    shown(staff, "annotate@")
    assert "annotate is paused" in press(staff, "pause", "annotate")
    shown(staff, "Every worker keeps to it.")
    outlast_polls(stack, sqs, "gas-annotate")
    job = researcher.annotate(samples.repeated(tmp_path / "paused.vcf", copies=1))
    assert until(lambda: receives(sqs, "gas-annotate"), "the message") == 1
    stack.kill("worker")
    stack.launch("worker")
    shown(staff, "Every worker keeps to it.")
    assert receives(sqs, "gas-annotate") == 2  # by this test alone
    assert researcher.open(job.url).facts["data-status"] == "queued"
    assert "annotate goes on" in press(staff, "resume", "annotate")
    wait_for(researcher, job.url, "completed")
    shown(staff, "lost</span>")  # the worker that was killed


def test_a_purged_letter_of_a_job_fails_it_with_a_sentence_and_a_mail(
    stack: Stack, researcher: Visitor, staff: Visitor, sqs: "SQSClient", tmp_path: Path
) -> None:
    for queue in ("annotate", "sweep"):  # which would settle the letter itself
        stack.manage("queue", "pause", queue, "--reason", "to see what happens")
    until(
        lambda: staff.open("/admin/operations/").html.count("Every worker keeps to it.") == 2,
        "both workers to hear of it",
    )
    file = samples.repeated(tmp_path / "purged.vcf", copies=1)
    job = researcher.annotate(file)
    number = int(job.url.rstrip("/").rpartition("/")[2])
    dead = url_of(sqs, "gas-annotate-dead")
    sqs.send_message(QueueUrl=dead, MessageBody=message("annotate", number))
    assert "1 message purged, 1 job ended." in press(staff, "purge", "annotate")
    assert "we gave it up" in researcher.open(job.url).html
    until(lambda: mails_about(stack, file), "the mail to its owner")
    for queue in ("annotate", "sweep"):
        stack.manage("queue", "resume", queue, "--reason", "seen")
    shown(staff, 'Pause<span class="visually-hidden"> annotate</span>')


def test_after_all_that_rows_and_storage_agree(stack: Stack) -> None:
    stack.manage("reconcile")
    staff = Visitor(stack.site_url)
    staff.sign_in("Staff operator", to="/admin/")
    assert '<td class="field-counts">-</td>' in staff.open("/admin/gas/reconciliation/").html
