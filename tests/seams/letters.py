"""The dead-letter queues, and the depth of the queues, as `gas.storage.queues` shows them."""

import base64
import json
from collections import defaultdict
from typing import Any

import pytest

from celeryconfig import QUEUES
from gas.storage import queues
from gas.storage.queues import Counts, Letter
from tests.seams.broker import Broker

URLS = {queue.url: queue.name for queue in QUEUES.values()}


def body_of(task: str, *args: Any, **kwargs: Any) -> str:
    """A message as our transport writes it."""
    content = json.dumps([args, kwargs, {"chain": None}]).encode()
    return json.dumps(
        {"body": base64.b64encode(content).decode(), "headers": {"task": task, "id": "1"}}
    )


class Letters:
    """Letters by the address of their queue; what was received is out of sight."""

    def __init__(self, broker: Broker) -> None:
        self.lying: dict[str, list[Letter]] = defaultdict(list)
        self.hidden: set[str] = set()
        self.asked: list[str] = []
        self.counted: list[str] = []
        self.deeper = 0  # messages that wait beside ours
        self._broker = broker
        self._count = 0

    def stand_in(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of the functions of our module."""
        for name in ("counts", "delete", "depth", "receive", "send", "show"):
            patch.setattr(queues, name, getattr(self, name))

    def post(self, queue: str, body: str) -> Letter:
        """Let a message die."""
        self._count += 1
        letter = Letter(f"letter-{self._count}", body, f"receipt-{self._count}")
        self.lying[QUEUES[queue].dead_letter_url].append(letter)
        return letter

    def in_dead_letters(self, queue: str) -> list[str]:
        """The bodies that lie in the dead-letter queue of a queue."""
        return [letter.body for letter in self.lying[QUEUES[queue].dead_letter_url]]

    def depth(self, url: str) -> int:
        if url in URLS:
            return len(self._broker.arrived(URLS[url])) + self.deeper
        return len(self.lying[url])

    def counts(self, url: str) -> Counts:
        self.counted.append(url)
        if url in URLS:
            return Counts(visible=self.depth(url), in_flight=0, delayed=0)
        hidden = sum(letter.id in self.hidden for letter in self.lying[url])
        return Counts(visible=len(self.lying[url]) - hidden, in_flight=hidden, delayed=0)

    def receive(self, url: str, *, hidden_for: int) -> list[Letter]:
        self.asked.append(url)
        found = [letter for letter in self.lying[url] if letter.id not in self.hidden][:10]
        self.hidden |= {letter.id for letter in found}
        return found

    def show(self, url: str, letter: Letter) -> None:
        self.hidden.discard(letter.id)

    def send(self, url: str, letter: Letter) -> None:
        self.lying[url].append(letter)

    def delete(self, url: str, letter: Letter) -> None:
        self.lying[url].remove(letter)
