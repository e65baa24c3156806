"""Messages wait while releases change: each release executes what any before it has written.

`messages/VERSION.json` has each kind of message as that release writes it to SQS, with JOB in place
of the number of a job. A file is never changed: when messages get another form, the release that
changes it adds a file of its own, by `python -m pytest tests/unit/tasks/test_old_messages.py` with
`RECORD_AS=VERSION`.
"""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kombu.transport import memory

from celeryconfig import QUEUES, beat_schedule
from gas.models import Job, User
from tasks import app, pipeline
from tasks.archive import archive
from tasks.deliver import deliver
from tasks.notify import notify
from tasks.restore import restore
from tests.seams.world import World, read

FOLDER = Path(__file__).with_name("messages")
RECORDS = sorted(FOLDER.glob("*.json"))
JOB = "JOB"
#: The number of no webhook: a task that gets to its row drops the message.
NOBODY = 0

Envelope = dict[str, Any]

#: How a job comes to wait for each message that names one.
JOBS: dict[str, Callable[[World, User], Job]] = {
    "annotate": World.submitted,
    "notify": World.completed,
    "archive": World.completed,
    "archive, later": World.completed,
    "thaw": World.thawing,
    "restore": World.restoring,
}
#: How each kind of message ends that finds its row waiting for it.
ENDS = dict.fromkeys(JOBS, "SUCCESS") | {
    "archive, later": "RETRY",
    "notify, of no job": "SUCCESS",
    "deliver": "IGNORED",
    "sweep": "SUCCESS",
    "reconcile": "SUCCESS",
}


def sent(world: World) -> dict[str, Envelope]:
    """Each kind of message as this release writes it."""
    messages: dict[str, Envelope] = {}
    for kind, prepare in JOBS.items():
        job = prepare(world, User.objects.create_user(f"owner of {kind}", "owner@example.org"))
        world.broker.lose()
        if kind == "notify":
            notify.delay(job.pk)
        elif kind == "restore":
            restore.delay(job.pk)
        elif kind == "archive, later":
            archive.apply_async((job.pk,), countdown=3600)
        else:
            pipeline.send(read(job))
        messages[kind] = written(job)
    notify.delay()
    messages["notify, of no job"] = written()
    deliver.delay(NOBODY)
    messages["deliver"] = written()
    schedule: dict[str, Any] = {**beat_schedule}
    for entry in schedule.values():
        app.send_task(entry["task"], **entry["options"])
        messages[entry["task"]] = written()
    return messages


def written(job: Job | None = None) -> Envelope:
    """Take the one message that was written, its body decoded, the number of its job left out."""
    [message] = [waiting.get() for waiting in memory.Channel.queues.values() if waiting.qsize()]
    message["body"] = json.loads(base64.b64decode(message["body"]))
    text = json.dumps(message)
    if job is not None:
        text = text.replace(f"[[{job.pk}], ", f'[["{JOB}"], ').replace(
            f'"args": [{job.pk}]', f'"args": ["{JOB}"]'
        )
    return dict(json.loads(text))


def delivered(envelope: Envelope, job: Job | None) -> None:
    """Put a message that another release has written into its queue."""
    text = json.dumps(envelope).replace(f'"{JOB}"', str(job.pk if job else NOBODY))
    message = json.loads(text)
    message["body"] = base64.b64encode(json.dumps(message["body"]).encode()).decode()
    queue = message["properties"]["delivery_info"]["routing_key"]
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        channel._put(queue, message)


def shape(value: Any) -> Any:
    """The names and kinds of what a message holds, without the values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__ if value != JOB else "int"


def recorded() -> list[Any]:
    """Each message of each record."""
    return [
        pytest.param(kind, envelope, id=f"{record.stem} {kind}")
        for record in RECORDS
        for kind, envelope in json.loads(record.read_text()).items()
    ]


def executed(world: World, owner: User, kind: str, envelope: Envelope) -> str:
    """Deliver one message to a row that waits for it, and tell how its task ended."""
    job = JOBS[kind](world, owner) if kind in JOBS else None
    world.broker.lose()
    delivered(envelope, job)
    [message] = world.broker.arrived()
    world.broker.waiting.clear()
    return world.broker.run(message)


def test_every_task_is_on_record() -> None:
    tasks = {e["headers"]["task"] for r in RECORDS for e in json.loads(r.read_text()).values()}
    assert tasks >= QUEUES.keys()


def test_what_is_written_today_is_on_record(world: World) -> None:
    today = sent(world)
    if name := os.environ.get("RECORD_AS"):
        record = FOLDER / f"{name}.json"
        record.write_text(json.dumps(today, indent=1, sort_keys=True) + "\n")
    shapes = [shape(json.loads(record.read_text())) for record in FOLDER.glob("*.json")]
    assert shape(today) in shapes, "the form of messages has changed: add a record of its own"


@pytest.mark.parametrize(("kind", "envelope"), recorded())
def test_a_message_of_any_release_is_executed(
    world: World, owner: User, kind: str, envelope: Envelope
) -> None:
    assert executed(world, owner, kind, envelope) == ENDS[kind], world.broker.failures


@pytest.mark.parametrize(("kind", "envelope"), recorded())
def test_what_a_newer_release_adds_to_a_message_harms_nothing(
    world: World, owner: User, kind: str, envelope: Envelope
) -> None:
    args, kwargs, embedded = envelope["body"]
    newer = {
        **envelope,
        "headers": {**envelope["headers"], "priority-class": {"of": ["a", "newer", 1]}},
        "properties": {**envelope["properties"], "hue": "blue"},
        "body": [args, {**kwargs, "hint": "of a newer release"}, {**embedded, "hint": 1}],
        "hint": 1,
    }
    assert executed(world, owner, kind, newer) == ENDS[kind], world.broker.failures
