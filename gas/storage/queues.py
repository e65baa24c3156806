"""The queues as storage: how deep they are, and the messages that rest in dead-letter queues."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gas.storage import clients
from gas.storage.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

#: The most messages that SQS hands out in one receive.
BATCH = 10


@dataclass(frozen=True)
class Letter:
    """A message as it lies in a queue, whatever is in it."""

    id: str
    body: str
    receipt: str
    group: str = ""  # the fair queues' MessageGroupId


def depth(url: str) -> int:
    """Return about how many messages wait in a queue, without those whose timer still runs."""
    with translated(url):
        answer = clients.sqs().get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


@dataclass(frozen=True)
class Counts:
    """About how many messages a queue holds, by what may become of them now."""

    visible: int  # may be received
    in_flight: int  # received, and not yet deleted or come back
    delayed: int  # their timer still runs

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.in_flight + self.delayed


#: Seconds for an answer, and one try: whoever looks at a page has little patience.
PATIENCE = 2


def counts(url: str) -> Counts:
    """Ask SQS how many messages a queue holds; its answer is a minute old at worst."""
    with translated(url):
        answer = clients.sqs(attempts=1, seconds=PATIENCE).get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )
    told = answer["Attributes"]
    return Counts(
        visible=int(told["ApproximateNumberOfMessages"]),
        in_flight=int(told["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(told["ApproximateNumberOfMessagesDelayed"]),
    )


def receive(url: str, *, hidden_for: int) -> list[Letter]:
    """Take up to ten messages, which nobody else sees for `hidden_for` seconds; never waits."""
    with translated(url):
        answer = clients.sqs().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=0,
            VisibilityTimeout=hidden_for,
            AttributeNames=["MessageGroupId"],
        )
    return [_letter(message) for message in answer.get("Messages", [])]


def send(url: str, letter: Letter) -> None:
    """Put a copy of a message into a queue."""
    with translated(url):
        if letter.group:
            clients.sqs().send_message(
                QueueUrl=url, MessageBody=letter.body, MessageGroupId=letter.group
            )
        else:
            clients.sqs().send_message(QueueUrl=url, MessageBody=letter.body)


def show(url: str, letter: Letter) -> None:
    """Let others see a message again that was received."""
    with translated(url):
        clients.sqs().change_message_visibility(
            QueueUrl=url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
        )


def delete(url: str, letter: Letter) -> None:
    """Delete a message that was received."""
    with translated(url):
        clients.sqs().delete_message(QueueUrl=url, ReceiptHandle=letter.receipt)


def _letter(message: "MessageTypeDef") -> Letter:
    return Letter(
        id=message["MessageId"],
        body=message["Body"],
        receipt=message["ReceiptHandle"],
        group=message.get("Attributes", {}).get("MessageGroupId", ""),
    )
