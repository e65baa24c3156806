"""What `tasks/transport.py` mends, shown with kombu's own transport: when a defect has gone from
kombu its test fails, and the mending can go too.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest
from botocore.exceptions import ClientError
from kombu import Message, Producer
from kombu.asynchronous.aws.connection import AsyncHTTPSConnection
from kombu.exceptions import OperationalError
from kombu.transport.SQS import AccessDeniedQueueException

from dev.faults.faults import FAULTS, garbage, hang, refused
from dev.faults.proxy import Fault, Proxy
from tasks import transport
from tests.faults.listener import OURS, PATIENCE, STOCK, Listener, listening

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

#: How long the next poll may take, in seconds: kombu's loop that is silent so long has ended.
NEXT_POLL = {STOCK: 2, OURS: PATIENCE}

Survives = Callable[[Listener, Proxy], bool]


def hears_after(fault: Fault) -> Survives:
    """Whether a queue is polled again when one poll has failed so."""

    def hears(listener: Listener, proxy: Proxy) -> bool:
        again = False
        with proxy.failing("ReceiveMessage", fault, times=1) as rule:
            with suppress(Exception):  # it is what kombu raises, and the end of a worker
                listener.turn(lambda: bool(rule.hits))
                polls = proxy.count("ReceiveMessage")
                again = listener.turn(
                    lambda: proxy.count("ReceiveMessage") > polls,
                    seconds=NEXT_POLL[listener.transport],
                )
            assert rule.hits
        return again

    return hears


def is_patient(listener: Listener, proxy: Proxy) -> bool:
    """Whether an answer that is none is a failed poll, after which there is a pause."""
    with proxy.failing("ReceiveMessage", garbage) as rule:
        assert listener.turn(lambda: len(rule.hits) > 3)
        many = listener.turn(lambda: len(rule.hits) > 12, seconds=1)
    return not many and min(later - hit for hit, later in pairwise(rule.hits)) > 0.3


def begins(listener: Listener, proxy: Proxy) -> bool:
    """Whether a worker begins with a queue of which SQS does not tell anything."""
    with proxy.failing("GetQueueAttributes", FAULTS["throttled"]):
        try:
            listener.queue(listener.connection.default_channel).declare()
        except ClientError:
            return False
    return True


def puts_back(listener: Listener, proxy: Proxy) -> bool:
    """Whether a message that cannot be put back is left to SQS."""
    message = received(listener)
    with proxy.failing("ChangeMessageVisibility", FAULTS["throttled"]):
        return is_left_to_sqs(message.requeue)


def acknowledges(listener: Listener, proxy: Proxy) -> bool:
    """Whether a message that may not be deleted is left to SQS."""
    message = received(listener)
    with proxy.failing("DeleteMessage", FAULTS["access-denied"]):
        return is_left_to_sqs(message.ack)


def sends(listener: Listener, proxy: Proxy) -> bool:
    """Whether a send that is refused is tried again, and told as kombu tells a lost connection."""
    producer = Producer(listener.connection.default_channel)
    policy = {"max_retries": 2, "interval_start": 0, "interval_step": 0}
    with proxy.failing("SendMessage", refused(403, "ExpiredToken")) as rule:
        try:
            producer.publish(
                "lost", routing_key=listener.queue.name, retry=True, retry_policy=policy
            )
        except OperationalError:
            return len(rule.hits) > 1
        except ClientError:
            return False
    return False


def received(listener: Listener) -> Message:
    """A message in hand."""
    listener.say("a message")
    assert listener.turn(lambda: bool(listener.messages))
    return listener.messages[0]


def is_left_to_sqs(settle: Callable[[], object]) -> bool:
    """Whether a message is settled without an error."""
    try:
        settle()
    except (ClientError, AccessDeniedQueueException):
        return False
    return True


DEFECTS: dict[str, Survives] = {
    "kombu #2488: a refused poll is the last": hears_after(FAULTS["throttled"]),
    "kombu #2488: a poll that finds SQS out of order is the last": hears_after(FAULTS["500"]),
    "kombu #2488: a poll that hangs is the last": hears_after(hang),
    "an answer that is none counts as an empty queue": is_patient,
    "a queue whose length is not told ends the connection": begins,
    "kombu #1391: a message that cannot be put back is an error": puts_back,
    "a message that may not be deleted is an error": acknowledges,
    "a refused send is not tried again": sends,
}


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second where kombu means its requests to end after twenty."""
    monkeypatch.setattr(AsyncHTTPSConnection.__init__, "__defaults__", (None, 1.0, None))
    monkeypatch.setattr(transport, "RECEIVE_SECONDS", 1)


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("defect", DEFECTS)
def test_kombu_has_this_defect_still(over_proxy: Proxy, defect: str) -> None:
    with listening(STOCK, over_proxy.endpoint) as listener:
        assert not DEFECTS[defect](listener, over_proxy), "kombu is mended: mend no more"


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("defect", DEFECTS)
def test_our_transport_mends_it(over_proxy: Proxy, defect: str) -> None:
    with listening(OURS, over_proxy.endpoint) as listener:
        assert DEFECTS[defect](listener, over_proxy)
