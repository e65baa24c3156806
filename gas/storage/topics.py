"""Topics of SNS as storage: what was published is Amazon's to deliver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gas.storage import clients
from gas.storage.errors import translated

#: The most messages of one call.
BATCH = 10


@dataclass(frozen=True)
class Word:
    """One message to publish; subscribers choose by its attributes."""

    id: str
    body: str
    attributes: Mapping[str, str]


def publish(topic: str, words: Sequence[Word]) -> set[str]:
    """Publish up to ten messages; returns the ids of those that the topic took."""
    entries = [
        {
            "Id": word.id,
            "Message": word.body,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value}
                for name, value in word.attributes.items()
            },
        }
        for word in words
    ]
    with translated(topic):
        answer = clients.sns().publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    return {taken["Id"] for taken in answer.get("Successful", [])}
