"""The queues in memory, and a worker that runs one message when it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from celery.app.trace import trace_task
from kombu.transport import memory

from tasks import app


@dataclass(frozen=True)
class Message:
    """A message as the worker receives it."""

    task: str
    args: tuple[Any, ...]
    headers: dict[str, Any]
    properties: dict[str, Any]
    embedded: dict[str, Any]
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def delay(self) -> int:
        """Seconds for which the queue holds it back."""
        return int(self.properties.get("DelaySeconds", 0))

    @property
    def wait(self) -> int:
        """Seconds that are still to go after that."""
        return int(self.headers["wait"] or 0)


class Broker:
    """What waits in each queue; delays are noted and never kept."""

    def __init__(self) -> None:
        memory.Channel.queues.clear()
        self.waiting: list[Message] = []
        self.failures: list[BaseException] = []

    def arrived(self, task: str | None = None) -> list[Message]:
        """Everything that waits, or what waits for one task, oldest first of each queue."""
        with app.connection_for_read() as connection:
            for queue in app.amqp.queues.values():
                while (got := queue(connection.default_channel).get(no_ack=True)) is not None:
                    args, kwargs, embedded = got.payload
                    head, tail = got.headers, got.properties
                    self.waiting.append(
                        Message(head["task"], tuple(args), head, tail, embedded, kwargs)
                    )
        return [message for message in self.waiting if task in (None, message.task)]

    def names(self) -> list[str]:
        """The tasks of what waits."""
        return sorted(message.task for message in self.arrived())

    def take(self, task: str) -> Message:
        """Take the oldest message for a task."""
        message = self.arrived(task)[0]
        self.waiting.remove(message)
        return message

    def lose(self) -> None:
        """Lose everything that waits."""
        self.arrived()
        self.waiting.clear()

    def run(self, message: Message) -> str:
        """Run a message as a worker does; returns SUCCESS, IGNORED, RETRY or FAILURE."""
        request = {
            **message.headers,
            **message.embedded,
            "args": message.args,
            "kwargs": message.kwargs,
            "is_eager": False,
            "called_directly": False,
            "delivery_info": message.properties["delivery_info"],
            "properties": message.properties,
        }
        task = app.tasks[message.task]
        given = (message.headers["id"], message.args, message.kwargs)
        traced = trace_task(task, *given, request, app=app)
        if traced.info is None:
            return "SUCCESS"
        if traced.info.state == "FAILURE":
            self.failures.append(traced.info.retval)
        return str(traced.info.state)

    def deliver(self, task: str) -> str:
        """Take the oldest message for a task and run it."""
        return self.run(self.take(task))


@contextmanager
def in_memory() -> Iterator[None]:
    """Point the application at queues in this process."""
    app.loader.import_default_modules()  # as a worker does
    configured = app.conf["broker_url"]
    _connect_to("memory://localhost")
    yield
    _connect_to(configured)


def _connect_to(address: str) -> None:
    app.conf["broker_url"] = address
    vars(app)["_pool"] = None  # connections to the former address
    vars(app.amqp)["_producer_pool"] = None
