"""`python -m bench.lanes.waiting COUNT`: completed jobs whose archiving waits, rows and messages.

Each message has the body that the pipeline sends, and the longest timer of SQS.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from django.utils import timezone

from celeryconfig import ENDPOINT, QUEUES
from dev.local_aws import messages_at
from gas.models import Job, Status, Upload, User
from gas.storage import clients
from tasks import pipeline
from tasks.delays import LONGEST_TIMER

AT_ONCE, MOST_IN_A_BATCH = 5_000, 10
Item = TypeVar("Item")


def main(count: int) -> None:
    """Make the rows, then the messages."""
    owner = User.objects.create_user("patient")
    upload = Upload.objects.create(
        owner=owner, filename="x.vcf", status=Upload.Status.COMPLETE, size=1, etag='"e"'
    )
    now = timezone.now()
    row = {"owner": owner, "upload": upload, "name": "x", "bundle": "demo", "result_prefix": "r/"}
    due = {"completed_at": now, "sent_at": now, "wake_at": now + timedelta(seconds=LONGEST_TIMER)}
    rows = (Job(**row, **due, status=Status.COMPLETED) for _ in range(count))
    for batch in _batches(rows, AT_ONCE):
        Job.objects.bulk_create(batch)
    _send(owner.jobs.first(), count)


def _send(job: Job | None, count: int) -> None:
    """Send one as the pipeline does, and so many like it."""
    if job is None:
        return
    pipeline.send(job, countdown=LONGEST_TIMER)
    queue = QUEUES["archive"]
    [body] = [at.body for at in messages_at(ENDPOINT) if at.queue == queue.queue_name]
    for batch in _batches(iter(range(count - 1)), MOST_IN_A_BATCH):
        clients.sqs().send_message_batch(
            QueueUrl=queue.url,
            Entries=[
                {"Id": str(number), "MessageBody": body, "DelaySeconds": LONGEST_TIMER}
                for number in batch
            ],
        )
    asked = clients.sqs().get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])
    if int(asked["Attributes"]["ApproximateNumberOfMessagesDelayed"]) < count:
        sys.exit("SQS does not hold them all back")


def _batches(items: Iterator[Item], size: int) -> Iterator[Sequence[Item]]:
    while batch := list(islice(items, size)):
        yield batch


if __name__ == "__main__":
    main(int(sys.argv[1]))
