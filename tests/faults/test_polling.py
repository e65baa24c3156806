"""Whatever SQS answers to a poll, a worker hears again as soon as SQS does."""

import pytest

from dev.faults.faults import SQS_FAULTS
from dev.faults.proxy import Proxy, Rule
from tasks import transport
from tests.faults.journeys import ALL
from tests.faults.listener import OURS, listening

#: kombu calls pycurl by names that pycurl has replaced.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

#: One of each kind: refused, out of order, no wire, silence, nonsense, nowhere.
KINDS = ("expired-token", "500", "reset", "hang", "garbage", "queue-missing")


@pytest.mark.parametrize("fault", SQS_FAULTS if ALL else KINDS)
def test_a_failed_poll_is_tried_again_ever_more_patiently_and_told_once(
    over_proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    monkeypatch.setattr(transport, "RECEIVE_SECONDS", 2)
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.1)
    with listening(OURS, over_proxy.endpoint, visibility=2) as listener:
        polls = over_proxy.count("ReceiveMessage")
        assert listener.turn(lambda: over_proxy.count("ReceiveMessage") > polls)
        with over_proxy.failing("ReceiveMessage", SQS_FAULTS[fault]) as rule:
            assert listener.turn(lambda: len(tries(rule)) >= 3)
        listener.say("again")
        assert listener.turn(lambda: listener.received == ["again"])
    first, _, third = tries(rule)[:3]
    assert third - first > 0.22  # pauses of a tenth and two tenths, less a fifth
    told = [record.message for record in caplog.records if record.name == "tasks.transport"]
    assert ["cannot be polled" in line for line in told] == [True, False]
    assert "answers again" in told[1]


def test_a_queue_that_rests_is_not_polled_and_what_a_poll_brings_then_goes_back_untried(
    over_proxy: Proxy,
) -> None:
    with listening(OURS, over_proxy.endpoint, wait=5) as listener:
        listener.say("first")
        assert listener.turn(lambda: listener.received == ["first"])
        polls = over_proxy.count("ReceiveMessage")
        assert listener.turn(lambda: over_proxy.count("ReceiveMessage") > polls)
        transport.resting.add(listener.queue.name)  # in the midst of a poll
        try:
            returned = over_proxy.count("DeleteMessage")
            listener.say("later")
            back = listener.turn(lambda: over_proxy.count("DeleteMessage") > returned)
            polls = over_proxy.count("ReceiveMessage")
            assert not listener.turn(
                lambda: over_proxy.count("ReceiveMessage") > polls,
                seconds=3 * transport.REST_SECONDS,
            )
            assert listener.received == ["first"]
            assert transport.last_heard[listener.queue.name] > 0  # it does not count as deaf
        finally:
            transport.resting.discard(listener.queue.name)
        assert listener.turn(lambda: listener.received[1:] == ["later"])
    assert back
    _, message = listener.messages
    told = message.delivery_info["sqs_message"]["Attributes"]
    assert told["ApproximateReceiveCount"] == "1"


def tries(rule: Rule) -> list[float]:
    """When it was tried; curl itself tries a connection that it had open once more at once."""
    pairs = zip([0.0, *rule.hits], rule.hits, strict=False)
    return [hit for before, hit in pairs if hit - before > 0.05]
