"""A machine that goes finishes its work or hands it back at once; real workers, agents and broker.

Leases and time-outs last ten minutes here: whatever waited for one would come too late.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.children import children_of
from dev.faults.stack import FaultyStack
from dev.local_aws import messages_at
from dev.stack import Ports
from dev.waiting import until
from tests.deploy.fleet import LIFECYCLE, Metadata, Region, metadata
from tests.pipeline.conftest import database_settings

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(1200)]

#: Seconds for what takes some on a busy machine; a third of the lease.
PATIENCE = 200
PATIENT = {"GAS_LEASE": "10m", "GAS_RESEND_AFTER": "20m", "GAS_LONG_POLL": "8s"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyStack]:
    """AWS behind a proxy, and a database; no process of the service."""
    settings = PATIENT | database_settings()
    stack = FaultyStack(tmp_path_factory.mktemp("drain"), Ports.free(), settings)
    stack.proxy.__enter__()
    stack.manage("migrate", "--verbosity=0")
    stack.start_aws()
    yield stack
    stack.stop()


@pytest.fixture
def region(stack: FaultyStack) -> Iterator[Region]:
    """Where machines come and go."""
    region = Region(stack)
    for queue in ("annotate", "notify"):
        region.empty(queue)
    yield region
    region.end()


@pytest.fixture
def told() -> Iterator[Metadata]:
    """What EC2 tells the machine that goes."""
    with metadata() as server:
        yield server


def messages(region: Region, queue: str = "annotate") -> int:
    """How many messages a queue holds, seen or not."""
    held = messages_at(region.stack.proxy.endpoint)
    return sum(message.queue == f"gas-{queue}" for message in held)


def in_flight(region: Region, queue: str) -> int:
    """How many messages of a queue somebody holds."""
    url = region.sqs.get_queue_url(QueueName=f"gas-{queue}")["QueueUrl"]
    answer = region.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])


def is_completed(region: Region, job: int) -> bool:
    """Whether a job is done, and nobody has its message any more."""
    return region.job(job)["status"] == "completed" and messages(region) == 0


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended may be listed until somebody asks how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_with_enough_time_work_is_finished_and_nothing_more_taken(
    region: Region, told: Metadata
) -> None:
    hold = Path(region.stack.plans, "hold")
    hold.touch()
    going = region.machine("going", told).start()
    first = region.submit("finished", annotate__child__after="hold")
    until(lambda: region.met("annotate.child.after", first), "work", seconds=PATIENCE)
    told.says[LIFECYCLE] = "Terminated"
    until(lambda: region.calls("RecordLifecycleActionHeartbeat"), "a heartbeat", seconds=PATIENCE)
    second = region.submit("later")
    assert going.worker.poll() is None
    assert not region.calls("CompleteLifecycleAction")
    hold.unlink()
    assert going.has_ended() == 0
    assert region.job(first) == {"status": "completed", "attempt": "1", "setbacks": "0"}
    assert region.job(second) == {"status": "queued", "attempt": "0", "setbacks": "0"}
    until(lambda: region.calls("CompleteLifecycleAction"), "the end of the hook", seconds=PATIENCE)
    [call] = region.calls("CompleteLifecycleAction")
    for said in (b"LifecycleHookName=drain", b"i-0123456789abcdef0", b"CONTINUE", b"gas-annotate"):
        assert said in call.body
    with metadata() as quiet:
        region.machine("staying", quiet).start()
        until(lambda: is_completed(region, second), "the job that waited", seconds=PATIENCE)


def test_without_enough_time_another_worker_takes_the_work_at_once(
    region: Region, told: Metadata
) -> None:
    going = region.machine("going", told, "annotate,notify").start()
    job = region.submit("handed-back", annotate__watch__before="hang")
    until(lambda: region.met("annotate.watch.before", job), "work", seconds=PATIENCE)
    [pool] = children_of(going.worker.pid)[-1:]
    annotators = children_of(pool)
    assert annotators
    told.take_spot_back(45)
    with metadata() as quiet:
        assert going.has_ended() == 0
        assert not [pid for pid in [pool, *annotators] if lives(pid)]
        assert region.job(job) == {"status": "running", "attempt": "1", "setbacks": "0"}
        assert region.shown() == 1
        region.machine("staying", quiet).start()
        until(lambda: is_completed(region, job), "the job that was handed back", seconds=PATIENCE)
    assert region.job(job) == {"status": "completed", "attempt": "2", "setbacks": "0"}
    until(lambda: region.calls("CompleteLifecycleAction"), "the end of the hook", seconds=PATIENCE)


def test_what_a_worker_had_received_and_not_begun_goes_back_too(
    region: Region, told: Metadata
) -> None:
    plans = {"annotate__claim__before": "hang", "notify__take__before": "hang"}
    job = region.submit("beside", **plans)
    region.stack.run("celery", "-A", "tasks", "call", "notify", f"--args=[{job}]")
    going = region.machine("going", told, "annotate,notify").start()
    until(
        lambda: any(region.met(place.replace("__", "."), job) for place in plans),
        "work",
        seconds=PATIENCE,
    )
    told.take_spot_back(30)
    assert going.has_ended() == 0
    assert [in_flight(region, queue) for queue in ("annotate", "notify")] == [0, 0]
    region.end()
    with metadata() as quiet:
        region.machine("staying", quiet, "annotate,notify").start()
        until(lambda: is_completed(region, job), "the job", seconds=PATIENCE)
        until(lambda: messages(region, "notify") == 0, "the mail", seconds=PATIENCE)


def test_what_a_poll_brings_that_was_open_when_the_worker_was_told_goes_back_at_once(
    region: Region, told: Metadata
) -> None:
    going = region.machine("going", told).start()
    job = region.submit("told-twice")
    until(lambda: is_completed(region, job), "the first time", seconds=PATIENCE)
    polls = len(region.calls("ReceiveMessage"))
    until(lambda: len(region.calls("ReceiveMessage")) > polls, "a poll", seconds=PATIENCE)
    going.worker.terminate()
    until(lambda: "takes nothing more" in going.log("worker"), "an end", seconds=PATIENCE)
    region.send_again(job)
    assert going.has_ended() == 0
    assert region.shown() == 1
    with metadata() as quiet:
        region.machine("staying", quiet).start()
        until(lambda: messages(region) == 0, "the message", seconds=PATIENCE)
