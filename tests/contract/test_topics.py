"""Words that a topic takes reach whoever subscribed to it, as they are."""

import json
import uuid

import boto3
import pytest

from dev.local_aws import LocalAws
from dev.local_aws.server import CREDENTIALS, REGION
from gas.storage import clients, topics
from gas.storage.errors import StorageError
from gas.storage.topics import Word


@pytest.fixture
def topic(aws: LocalAws) -> tuple[str, str]:
    """A topic, and the address of a queue that subscribes to it."""
    key_id, secret = CREDENTIALS.values()
    session = boto3.session.Session(key_id, secret, region_name=REGION)
    sns = session.client("sns", endpoint_url=aws.endpoint)
    name = f"events-{uuid.uuid4().hex}"
    arn = sns.create_topic(Name=name)["TopicArn"]
    url = clients.sqs().create_queue(QueueName=name)["QueueUrl"]
    queue = clients.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    endpoint = queue["Attributes"]["QueueArn"]
    let_in = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": endpoint,
        "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [let_in]})
    clients.sqs().set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=endpoint,
        Attributes={"RawMessageDelivery": "true"},
    )
    return arn, url


def received(url: str, count: int) -> dict[str, str]:
    """The bodies that a queue gets, and the type that each bears."""
    found: dict[str, str] = {}
    while len(found) < count:
        answer = clients.sqs().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=5,
            MessageAttributeNames=["All"],
        )
        assert answer.get("Messages"), f"{len(found)} of {count}"
        for message in answer["Messages"]:
            found[message["Body"]] = message["MessageAttributes"]["type"]["StringValue"]
    return found


def test_what_is_published_arrives_as_it_is_with_its_type(topic: tuple[str, str]) -> None:
    arn, url = topic
    bodies = [json.dumps({"id": n, "data": "ä"}) for n in range(topics.BATCH)]
    words = [Word(str(uuid.uuid4()), body, {"type": "job.completed"}) for body in bodies]
    assert topics.publish(arn, words) == {word.id for word in words}
    assert received(url, len(bodies)) == dict.fromkeys(bodies, "job.completed")


def test_a_topic_that_is_not_there_is_an_error_of_storage(topic: tuple[str, str]) -> None:
    word = Word(str(uuid.uuid4()), "{}", {"type": "job.completed"})
    with pytest.raises(StorageError):
        topics.publish(f"{topic[0]}-gone", [word])
