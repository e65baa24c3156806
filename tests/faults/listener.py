"""kombu polling one queue, as a worker does, in a loop that a test turns by hand."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from kombu import Connection, Consumer, Message, Producer, Queue
from kombu.asynchronous.hub import Hub, set_event_loop

from celeryconfig import ACCOUNT, REGION

RESTORES = "do_restore"
STOCK = "kombu.transport.SQS:Transport"
OURS = "tasks.transport:Transport"

#: Seconds in which what must come has come, on a busy machine too.
PATIENCE = 60


@dataclass
class Listener:
    """A consumer of one queue."""

    transport: str
    hub: Hub
    connection: Connection
    queue: Queue
    received: list[Any] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def turn(self, until: Callable[[], bool], *, seconds: float = PATIENCE) -> bool:
        """Run the loop until it is so; False when it was not in time."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                return False
            self.hub.call_later(0.05, _nothing)  # so that no turn waits for long
            self.hub.run_once()
        return True

    def take(self, message: Message) -> None:
        """Note what has come."""
        self.received.append(message.payload)
        self.messages.append(message)

    def say(self, words: str) -> None:
        """Send a message to the queue itself."""
        Producer(self.connection.default_channel).publish(words, routing_key=self.queue.name)


def _nothing() -> None:
    pass


@contextmanager
def listening(
    transport: str, endpoint: str, *, visibility: int = 30, wait: int = 1
) -> Iterator[Listener]:
    """Make a queue, consume it over `endpoint`, and clean up."""
    name = f"faults-{uuid.uuid4().hex[:8]}"
    boto3.session.Session().client("sqs").create_queue(
        QueueName=name, Attributes={"VisibilityTimeout": str(visibility)}
    )
    options = {
        "region": REGION,
        "is_secure": False,
        "predefined_queues": {name: {"url": f"{endpoint}/{ACCOUNT}/{name}", "region": REGION}},
        "wait_time_seconds": wait,
        "polling_interval": 0.1,
        "client-config": {
            "connect_timeout": 2,
            "read_timeout": 2,
            "retries": {"total_max_attempts": 1},
        },
    }
    hub = Hub()
    set_event_loop(hub)
    connection = Connection("sqs://", transport_options=options)
    connection.transport_cls = transport
    listener = Listener(transport, hub, connection, Queue(name))
    channel = connection.default_channel
    consumer = Consumer(channel, [listener.queue], on_message=listener.take, auto_declare=False)
    consumer.consume()
    setattr(channel, RESTORES, False)  # what is in hand at the end is SQS's to bring again
    try:
        yield listener
    finally:
        hub.close()
        set_event_loop(None)
