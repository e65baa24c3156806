"""What the local AWS promises: the table's queues, mails to read, restarts, no orphan."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from anymail.exceptions import AnymailAPIError
from django.core import mail

from celeryconfig import ACCOUNT, QUEUES, THAWED, Queue
from dev import local_aws
from dev.local_aws import LocalAws
from dev.waiting import until
from gas.storage import clients, objects
from gas.storage.archive import ArchiveState
from gas.storage.s3_glacier import S3GlacierArchive
from tests.contract.conftest import Publish, provision

BACKEND = "anymail.backends.amazon_ses.EmailBackend"


@pytest.mark.parametrize("queue", [*QUEUES.values(), THAWED], ids=[*QUEUES, THAWED.name])
def test_a_queue_is_what_the_table_says(aws: LocalAws, queue: Queue) -> None:
    provision(aws)  # again: it changes nothing
    attributes = clients.sqs().get_queue_attributes(
        QueueUrl=f"{aws.endpoint}/{ACCOUNT}/{queue.queue_name}",
        AttributeNames=["All"],
    )["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert int(attributes["VisibilityTimeout"]) == queue.visibility_timeout
    assert int(redrive["maxReceiveCount"]) == queue.max_receives
    assert redrive["deadLetterTargetArn"].endswith(f":{queue.dead_letter_name}")
    assert clients.sqs().get_queue_url(QueueName=queue.dead_letter_name)["QueueUrl"]


def test_a_message_timer_holds_a_message_back_and_receives_are_counted(aws: LocalAws) -> None:
    sqs = clients.sqs()
    dead = sqs.create_queue(QueueName="timer-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    redrive = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": "2"}
    url = sqs.create_queue(
        QueueName="timer",
        Attributes={"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(redrive)},
    )["QueueUrl"]
    sent = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=1)
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert time.monotonic() - sent > 0.9
    assert sqs.receive_message(QueueUrl=url)["Messages"]
    assert not sqs.receive_message(QueueUrl=url).get("Messages")
    assert sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5)["Messages"][0]["Body"] == "late"


def test_a_mail_of_django_can_be_read_back(aws: LocalAws) -> None:
    connection = mail.get_connection(BACKEND)
    message = mail.EmailMultiAlternatives(
        "Fertig: ä", "plain", to=["Free researcher <free@example.org>"], connection=connection
    )
    message.attach_alternative("<b>rich</b>", "text/html")
    message.send()
    found = aws.mails()[-1]
    assert (found.subject, found.text.strip(), found.html.strip()) == (
        "Fertig: ä",
        "plain",
        "<b>rich</b>",
    )
    assert found.to == ["free@example.org"]


def test_a_stranger_may_not_send(aws: LocalAws) -> None:
    message = mail.EmailMessage(
        "s",
        "b",
        from_email="stranger@example.org",
        to=["free@example.org"],
        connection=mail.get_connection(BACKEND),
    )
    with pytest.raises(AnymailAPIError):
        message.send()


def test_everything_is_there_after_a_restart(
    lead_to: Callable[[str], None], publish: Publish, tmp_path: Path
) -> None:
    first = local_aws.start(tmp_path / "aws")
    provision(first)
    lead_to(first.endpoint)
    stored = publish(b"result")
    frozen = S3GlacierArchive().store(stored.location, sha256=stored.sha256, size=stored.size)
    url = clients.sqs().get_queue_url(QueueName=QUEUES["thaw"].queue_name)["QueueUrl"]
    clients.sqs().send_message(QueueUrl=url, MessageBody="wait", DelaySeconds=1)
    first.stop()
    with local_aws.start(tmp_path / "aws") as second:
        assert second.endpoint == first.endpoint
        assert objects.read_start(stored.location) == b"result"
        assert S3GlacierArchive().state(frozen, None) is ArchiveState.ARCHIVED
        assert clients.sqs().receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]


# A parent that dies without a chance to tidy up.
PARENT = """
import sys, time
from pathlib import Path
from dev import local_aws, local_vaults
folder = Path(sys.argv[1])
aws = local_aws.start(folder)
vaults = local_vaults.start(folder / "vaults.log")
print(aws.process.pid, vaults.process.pid, flush=True)
time.sleep(60)
"""


def test_no_server_outlives_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        children = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert len(children) == 2
    until(lambda: not any(_runs(pid) for pid in children), "their end", seconds=60)


def _runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
