"""How real: every process, an S3 that tells of thawed copies by the template's own rule."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from celeryconfig import THAWED
from dev.demo import SAMPLE
from dev.stack import Ports, Stack
from dev.visitor import Visitor
from dev.waiting import until
from tests.deploy.filled_in import FilledIn
from tests.deploy.templates import resources
from tests.pipeline.conftest import QUICK

#: Nobody waits so long in a test: only an event can hurry the second poll.
POLL = {"GAS_THAW_POLL": "1h"}
ARCHIVE = "gas-archive"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The service, whose archive tells EventBridge, and EventBridge the queue."""
    with Stack(tmp_path, Ports.free(), QUICK | POLL) as running:
        session: Any = boto3.session.Session()
        told = running.environment
        keys = {
            "endpoint_url": told["AWS_ENDPOINT_URL"],
            "region_name": told["AWS_DEFAULT_REGION"],
            "aws_access_key_id": told["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": told["AWS_SECRET_ACCESS_KEY"],
        }
        s3, events = session.client("s3", **keys), session.client("events", **keys)
        sqs = session.client("sqs", **keys)
        told_by: dict[str, object] = {"EventBridgeConfiguration": {}}
        s3.put_bucket_notification_configuration(Bucket=ARCHIVE, NotificationConfiguration=told_by)
        [rule] = resources("AWS::Events::Rule")
        pattern = FilledIn("messages.yaml", {"ArchiveBucket": ARCHIVE}).properties(rule)
        events.put_rule(Name="thawed", EventPattern=json.dumps(pattern["EventPattern"]))
        url = sqs.get_queue_url(QueueName=THAWED.queue_name)["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        target = {"Id": "thawed", "Arn": asked["Attributes"]["QueueArn"]}
        events.put_targets(Rule="thawed", Targets=[target])
        yield running


@pytest.mark.deploy
@pytest.mark.timeout(600)
def test_what_s3_tells_wakes_the_poll_of_a_job_long_before_its_time(stack: Stack) -> None:
    visitor = Visitor(stack.site_url)
    visitor.sign_in("Free researcher")
    address = visitor.annotate(SAMPLE).url

    def is_(status: str) -> bool:
        return visitor.open(address).facts["data-status"] == status

    until(lambda: is_("archived"), "the archived job", seconds=200)
    checkout = visitor.submit(visitor.open("/subscription/").form(to="checkout"))
    visitor.submit(checkout.form(saying="Card"), press="Pay", card="4242424242424242")
    until(lambda: is_("completed"), "the job brought back", seconds=200)
