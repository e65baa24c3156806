"""What can become of messages; a strike each."""

import json
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dev.chaos.town import QUEUE_NAMES
from dev.local_aws import QueuedMessage

if TYPE_CHECKING:
    from dev.chaos.strikes import Siege

MOST_COPIES = 10


def _send(siege: "Siege", waiting: QueuedMessage, delay: int = 0) -> None:
    siege.town.sqs.send_message(
        QueueUrl=siege.town.queue_url(waiting.queue), MessageBody=waiting.body, DelaySeconds=delay
    )


def _some(found: Sequence[QueuedMessage], dice: random.Random) -> Sequence[QueuedMessage]:
    return dice.sample(found, min(MOST_COPIES, len(found)))


def duplicated(siege: "Siege", dice: random.Random) -> bool:
    """Some of the messages of this moment come twice."""
    now = [waiting for waiting in siege.town.messages() if waiting.queue in QUEUE_NAMES]
    for waiting in _some(now, dice):
        _send(siege, waiting, dice.randrange(3))
    return bool(now)


def replayed(siege: "Siege", dice: random.Random) -> bool:
    """Messages of any time come once more, most of them long after their job moved on."""
    for waiting in _some(list(siege.seen), dice):
        _send(siege, waiting, dice.randrange(8))
    return bool(siege.seen)


def delayed_and_reordered(siege: "Siege", dice: random.Random) -> bool:
    """What waits is taken out and comes back later, past the lease, in another order."""
    taken = 0
    for name in QUEUE_NAMES:
        url = siege.town.queue_url(name)
        found = siege.town.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        for message in found.get("Messages", []):
            siege.town.sqs.change_message_visibility(
                QueueUrl=url,
                ReceiptHandle=message["ReceiptHandle"],
                VisibilityTimeout=dice.randrange(8),
            )
            taken += 1
    return taken > 0


def lost(siege: "Siege", dice: random.Random) -> bool:
    """Every message of a queue is gone."""
    full = sorted({w.queue for w in siege.town.messages() if w.queue in QUEUE_NAMES})
    if full:
        siege.town.sqs.purge_queue(QueueUrl=siege.town.queue_url(dice.choice(full)))
    return bool(full)


def poisoned(siege: "Siege", dice: random.Random) -> bool:
    """Messages that nobody understands: raw text, foreign JSON, a task that does not exist."""
    number = len(siege.poison)
    bodies = [f"poison {number}", json.dumps({"poison": number})]
    if siege.seen:
        known = json.loads(dice.choice(list(siege.seen)).body)
        known["headers"]["task"] = f"unknown-{number}"
        bodies.append(json.dumps(known))
    body = dice.choice(bodies)
    siege.poison.add(body)
    _send(siege, QueuedMessage(dice.choice(QUEUE_NAMES), body))
    return True
