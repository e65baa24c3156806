"""One id leads from the request through every message, task and annotation of a job."""

from typing import Any

from gas.logs import context
from gas.models import Job, User
from tasks import pipeline, trail
from tasks.sweep import sweep
from tasks.transport import Channel
from tests.seams.lines import Log
from tests.seams.world import World, read


def test_a_job_keeps_the_id_of_the_request_that_made_it(world: World, owner: User) -> None:
    with context.about(correlation="ab" * 16):
        job = world.submitted(owner)
    assert job.correlation == "ab" * 16


def test_a_job_that_no_request_made_has_an_id_of_its_own(world: World, owner: User) -> None:
    first, second = world.submitted(owner), world.submitted(owner)
    assert context.ours(first.correlation)
    assert first.correlation != second.correlation


def test_every_message_of_a_job_bears_its_id(world: World, owner: User) -> None:
    job = world.restoring(owner)
    assert world.broker.deliver("restore") == "SUCCESS"
    headers = [message.headers[trail.HEADER] for message in world.broker.arrived()]
    assert headers
    assert set(headers) == {job.correlation}


def test_a_request_about_a_job_sends_messages_that_bear_the_id_of_the_job(
    world: World, owner: User
) -> None:
    job = world.submitted(owner)
    with context.about(correlation=context.new(), job=job.pk):
        pipeline.send(job)
    [message] = world.broker.arrived("annotate")
    assert message.headers[trail.HEADER] == job.correlation


def test_a_message_that_is_tried_again_bears_the_same_id(world: World, owner: User) -> None:
    job = world.thawing(owner)
    world.archive.polls = 1
    assert world.broker.deliver("thaw") == "RETRY"
    assert {m.headers[trail.HEADER] for m in world.broker.arrived()} == {job.correlation}


def test_what_the_sweeper_sends_bears_the_id_of_the_job(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.broker.lose()
    world.an_hour_passes()
    [message] = world.broker.arrived("annotate")
    assert message.headers[trail.HEADER] == job.correlation


def test_a_message_about_no_job_begins_a_story_of_its_own(world: World) -> None:
    sweep.delay()
    [message] = world.broker.arrived("sweep")
    assert context.ours(message.headers[trail.HEADER])


def test_a_forged_id_of_a_message_is_not_repeated(world: World, owner: User, log: Log) -> None:
    world.queued(owner)
    message = world.broker.take("annotate")
    message.headers[trail.HEADER] = 'forged", "level": "critical'
    assert world.broker.run(message) == "SUCCESS"
    assert "forged" not in log.text
    [line] = [line for line in log.lines if line.get("task") == "annotate"]
    assert context.ours(line["correlation"])


def test_the_end_of_a_task_tells_what_it_was_about(world: World, owner: User, log: Log) -> None:
    job = world.queued(owner)
    assert world.broker.deliver("annotate") == "SUCCESS"
    [line] = [line for line in log.about(job.correlation) if line["event"] == "annotate SUCCESS"]
    facts = {name: line[name] for name in ("level", "task", "queue", "job", "attempt", "state")}
    assert facts == {
        "level": "info",
        "task": "annotate",
        "queue": "annotate",
        "job": job.pk,
        "attempt": 1,
        "state": "SUCCESS",
    }
    assert line["message_id"]
    assert "receives" not in line  # nobody counts here; see below
    assert line["seconds"] > 0
    assert line["time"].endswith("Z")


def test_the_child_is_told_the_id(world: World, owner: User) -> None:
    job = world.queued(owner)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert world.child.correlations == [job.correlation]


def test_nothing_of_a_task_is_left_for_the_next(world: World, owner: User) -> None:
    world.queued(owner)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert context.bound("job") is None


def test_old_jobs_without_an_id_get_one_for_each_message(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.broker.lose()
    Job.objects.filter(pk=job.pk).update(correlation="")
    world.hurry(job)
    world.an_hour_passes()
    [message] = world.broker.arrived("annotate")
    assert context.ours(message.headers[trail.HEADER])
    assert read(job).correlation == ""


def test_a_task_is_told_which_delivery_of_which_message_it_works_on(
    world: World, owner: User, log: Log
) -> None:
    job = world.queued(owner)
    message = world.broker.take("annotate")
    received = {"MessageId": "an-id", "Attributes": {"ApproximateReceiveCount": "3"}}
    envelope: dict[str, Any] = {"headers": message.headers, "properties": {}, "body": ""}
    channel = object.__new__(Channel)
    enveloped = channel._envelope_payload(envelope, "", received | {"ReceiptHandle": "r"}, "url")
    message.headers.update(enveloped["headers"])
    assert world.broker.run(message) == "SUCCESS"
    [line] = [line for line in log.about(job.correlation) if line["event"] == "annotate SUCCESS"]
    assert (line["sqs_id"], line["receives"]) == ("an-id", 3)
