"""What kombu 5.7.0 lacks to survive a bad day of SQS; to be deleted when kombu has it.

* A failed ReceiveMessage ends the poll loop of its queue for ever (kombu #2488; celery #8243,
  #5072, #3990): a 4xx raises inside the event loop, a 5xx or a time-out returns an empty list.
* Requests to receive have no time-out, so that a hung connection hangs its queue (kombu #2488).
* An answer that is none, such as the page of a proxy, counts as an empty queue.
* A refused ChangeMessageVisibility while a message is put back stops the worker (kombu #1391).
* A refused DeleteMessage raises where only a lost connection is expected, and so does a refused
  SendMessage, which is neither tried again nor told as kombu's OperationalError.
* A worker asks how long each queue is before it takes from it, for nothing; a refusal, such as of a
  queue that is missing, is a lost connection to it, which is made anew at once and without end.

`tests/faults/test_kombu.py` shows each of them with kombu's own transport, and fails when one has
gone.
"""

import json
import logging
import time
from typing import Any

import pycurl
from botocore.exceptions import BotoCoreError, ClientError
from kombu.asynchronous.http.curl import CurlClient
from kombu.transport import SQS, TRANSPORT_ALIASES
from kombu.transport.SQS import AccessDeniedQueueException
from vine import ensure_promise, transform

from celeryconfig import LEASE, LONG_POLL, QUEUES, Queue
from gas import metrics
from gas.storage import clients, queues
from gas.storage.errors import StorageError
from gas.storage.queues import Letter

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5
RECEIVE_SECONDS = LONG_POLL + 5
HUB_CLIENT = "_current_http_client"  # where kombu looks for the client of an event loop
ON_ANSWER = "_on_list_ready"  # what its SQS connection does with an answer
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0

#: When each queue that this process polls was last heard, or there was no room for its messages.
last_heard: dict[str, float] = {}


#: Queues that this process takes nothing from: paused ones (`tasks.presence` keeps the set).
resting: set[str] = set()
REST_SECONDS = 0.5  # between two looks at whether a queue still rests


class PollFailed(Exception):
    """SQS answered a ReceiveMessage with an error, or not at all."""


class TimedCurlClient(CurlClient):
    """The receiving HTTP client, with the time-outs that its requests ask for in vain."""

    def _setup_request(self, curl: Any, request: Any, buffer: Any, headers: Any) -> None:
        super()._setup_request(curl, request, buffer, headers)
        curl.setopt(pycurl.CONNECTTIMEOUT, CONNECT_SECONDS)
        curl.setopt(pycurl.TIMEOUT, RECEIVE_SECONDS)


class QoS(SQS.QoS):
    """What a channel has received and not settled."""

    def held(self) -> list[Any]:
        """The messages that are neither acknowledged nor rejected."""
        self._flush()
        return list((self._delivered or {}).values())


class Channel(SQS.Channel):
    """A channel whose poll loops outlive every failed poll."""

    QoS = QoS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._failed_polls: dict[str, int] = {}
        self._begun: dict[str, float] = {}  # when the poll of each queue began that is under way
        if self.hub is not None and not hasattr(self.hub, HUB_CLIENT):
            client = TimedCurlClient(self.hub, max_clients=10 + len(self.predefined_queues))
            setattr(self.hub, HUB_CLIENT, client)

    def _size(self, queue: str) -> int:
        """The length of a queue, which nobody here needs of kombu; so SQS is not asked."""
        return 0

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> Any:
        last_heard[queue] = time.monotonic()
        return super().basic_consume(queue, *args, **kwargs)

    def basic_cancel(self, consumer_tag: str) -> Any:
        last_heard.pop(self._tag_to_queue.get(consumer_tag, ""), None)
        return super().basic_cancel(consumer_tag)

    def _schedule_queue(self, queue: str) -> None:
        rests = queue in resting and queue in self._active_queues
        if queue in last_heard and (rests or not self.qos.can_consume()):
            last_heard[queue] = time.monotonic()
        if rests:
            self.hub.call_later(REST_SECONDS, self._schedule_queue, queue)
            return
        try:
            super()._schedule_queue(queue)
        except (PollFailed, BotoCoreError, ClientError, OSError, pycurl.error) as error:
            self._poll_failed(queue, error)

    @property
    def polls(self) -> bool:
        """Whether a poll is under way, whose answer may bring messages."""
        now = time.monotonic()
        return any(now - begun < RECEIVE_SECONDS for begun in self._begun.values())

    def _get_async(self, queue: str, count: int = 1, callback: Any = None) -> Any:
        self._begun[queue] = time.monotonic()
        done = ensure_promise(callback)
        done.on_error = self._poll_failed  # of what becomes of an answer
        ready = transform(self._on_messages_ready, done, self._new_queue(queue), queue)
        ready.on_error = lambda *args: self._poll_failed(queue, args[-1])  # of the request itself
        name = self.canonical_queue_name(queue)
        connection = self.asynsqs(queue=name)
        setattr(connection, ON_ANSWER, _answer_of)
        return self._get_from_sqs(
            queue_name=name,
            queue_url=self._new_queue(queue),
            count=count,
            connection=connection,
            callback=ready,
        )

    def new_sqs_client(self, *args: Any, **kwargs: Any) -> Any:
        client = super().new_sqs_client(*args, **kwargs)
        clients.count_calls(client)
        return client

    def _on_messages_ready(self, queue_url: str, queue: str, messages: Any) -> int:
        metrics.sqs_calls.add(metrics.SQS_REQUESTS, action="ReceiveMessage")
        self._begun.pop(queue, None)
        if queue in last_heard:
            last_heard[queue] = time.monotonic()
        if self._failed_polls.pop(queue, 0):
            logger.warning("queue %s answers again", queue)
        if queue in resting:  # paused after this poll had begun
            _put_back(queue_url, messages.get("Messages") or [])
            return 0
        received: int = super()._on_messages_ready(queue_url, queue, messages)
        return received

    def _release_messages(self, queue: str, qname: str, messages: list[dict[str, Any]]) -> None:
        """Let others have what came when this worker takes nothing any more."""
        for message in messages:
            hand_back(queue, message)

    def _envelope_payload(self, payload: Any, text: Any, message: Any, q_url: Any) -> Any:
        """Let the task know which delivery of which message it works on."""
        whole = super()._envelope_payload(payload, text, message, q_url)
        if isinstance(headers := whole.get("headers"), dict):
            receives = (message.get("Attributes") or {}).get("ApproximateReceiveCount")
            headers |= {"sqs_id": message.get("MessageId"), "receives": receives}
        return whole

    def _poll_failed(self, queue: str, error: BaseException) -> None:
        """Try again later, ever more patiently; say so once."""
        metrics.sqs_calls.add(metrics.SQS_ERRORS, action="ReceiveMessage")
        self._begun.pop(queue, None)
        failures = self._failed_polls[queue] = self._failed_polls.get(queue, 0) + 1
        if failures == 1:
            logger.error("queue %s cannot be polled, trying again: %r", queue, error)
        jitter = 0.8 + 0.4 * (time.monotonic() % 1)  # so that workers do not return in step
        pause = min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE)
        self.hub.call_later(pause * jitter, self._schedule_queue, queue)

    def _restore(self, message: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._restore(message, *args, **kwargs)
        except (BotoCoreError, ClientError) as error:
            logger.warning("a message could not be put back, SQS will bring it back: %s", error)

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        try:
            super().basic_ack(delivery_tag, multiple)
        except (AccessDeniedQueueException, BotoCoreError, ClientError) as error:
            logger.warning("a message could not be deleted, SQS will bring it back: %s", error)


def _put_back(url: str, messages: list[dict[str, Any]]) -> None:
    """Return what was received to its queue as new messages, of which no receive was counted.

    Copied before it is deleted: a crash between the two doubles a message, which is harmless.
    """
    for message in messages:
        letter = Letter(message["MessageId"], message["Body"], message["ReceiptHandle"])
        try:
            queues.send(url, letter)
            queues.delete(url, letter)
        except StorageError as error:
            logger.warning("a message was not put back, SQS will bring it back: %s", error)


def hand_back(url: str, message: dict[str, Any]) -> None:
    """Let others have at once what was received, or log why they have it only after its time-out.

    A message that SQS would give up at its next delivery goes back as a new one: that a machine
    ends is not the message's fault.
    """
    receives = int((message.get("Attributes") or {}).get("ApproximateReceiveCount", 1))
    if receives >= _MOST_RECEIVES.get(url, receives + 1):
        _put_back(url, [message])
        return
    try:
        queues.show(url, Letter(message["MessageId"], message["Body"], message["ReceiptHandle"]))
    except StorageError as error:
        logger.warning("a message was not handed back, SQS will bring it back: %s", error)


_MOST_RECEIVES = {queue.url: queue.max_receives for queue in QUEUES.values()}


def _answer_of(_parent: Any, _markers: Any, _operation: str, response: Any) -> dict[str, Any]:
    """The answer to a ReceiveMessage; PollFailed unless it is one."""
    body = response.read() or b""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if response.status == 200 and isinstance(said, dict):
        messages = said.get("Messages") or []
        if isinstance(messages, list) and all(isinstance(each, dict) for each in messages):
            return said
    raise PollFailed(f"HTTP {response.status} {response.reason} {body[:200]!r}")


class Transport(SQS.Transport):
    """kombu's SQS transport with the channel above; a refusal by SQS may pass, as a reset may."""

    Channel = Channel
    connection_errors = (*SQS.Transport.connection_errors, ClientError)
    channel_errors = (*SQS.Transport.channel_errors, ClientError)


def keep_hidden(queue: Queue, *, receipt: str, seconds: int) -> None:
    """Hide a received message for so many seconds from now, or log why not.

    A message that cannot be hidden comes a second time, and loses the claim of its row. SQS gets
    less than the time between two signs of life, so that its silence costs no lease.
    """
    sqs = clients.sqs(attempts=1, seconds=min(5.0, LEASE.total_seconds() / 6))
    try:
        sqs.change_message_visibility(
            QueueUrl=queue.url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )
    except (ClientError, BotoCoreError) as error:
        logger.warning("a message of %s may come twice: %s", queue.name, error)


def register() -> None:
    """Make `sqs://` mean this transport."""
    TRANSPORT_ALIASES["sqs"] = "tasks.transport:Transport"
