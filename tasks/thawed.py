"""What S3 says of copies that can be read now: the poll of their job becomes due, and no more.

S3 tells EventBridge, whose rule sends `Object Restore Completed` of the archive's bucket to a queue
of its own. Polling stays the truth: an event that is lost, late, doubled or made up costs at most a
poll, and the archive is asked before anything moves.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
import logging
import re
from typing import Any

from celeryconfig import THAWED
from gas.models import Job, ResultFile
from gas.storage import queues
from gas.storage.locations import Location, archived
from gas.storage.queues import Letter
from tasks import pipeline

logger = logging.getLogger(__name__)

SOURCE, KIND = "aws.s3", "Object Restore Completed"

#: Receives of one sweep; a good day has one, which finds nothing.
MOST_RECEIVES = 100
#: Seconds for which an event about a job that is being polled right now is put off.
HIDDEN = 30

_KEY = re.compile(r"results/([1-9][0-9]{0,17})/[0-9]+/[a-z._]+")


def hear() -> int:
    """Make the polls due that S3's events ask for; returns how many."""
    woken: set[int] = set()
    for _ in range(MOST_RECEIVES):
        letters = queues.receive(THAWED.url, hidden_for=HIDDEN)
        for letter in letters:
            _heed(letter, woken)
        if not letters:
            break
    return len(woken)


def _heed(letter: Letter, woken: set[int]) -> None:
    """Wake the job of one event, once in a sweep; one that is being polled is told later."""
    receipt = receipt_of(letter.body)
    if receipt is None:
        logger.warning("message %s of %s is no event of S3's", letter.id, THAWED.queue_name)
    job = _job_of(receipt) if receipt else None
    if job and job.pk not in woken:
        if job.lease_until is not None:
            return
        if Job.objects.wake_thaw(job.pk):
            pipeline.send(job)
            woken.add(job.pk)
    queues.delete(THAWED.url, letter)


def receipt_of(body: str) -> str | None:
    """The receipt of the copy that an event tells of; None of anything else.

    Keys come as they are, not URL-encoded as in the notifications that S3 sends itself.
    """
    try:
        said = json.loads(body)
        kind, detail = (said["source"], said["detail-type"]), said["detail"]
        bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return _receipt(bucket, key) if kind == (SOURCE, KIND) else None


def _receipt(bucket: Any, key: Any) -> str | None:
    """What the archive calls a copy there, if it keeps copies of ours there."""
    if bucket != archived("").bucket or not isinstance(key, str) or not _KEY.fullmatch(key):
        return None
    return str(archived(key))


def _job_of(receipt: str) -> Job | None:
    """The job that waits for a copy."""
    number = Location.parse(receipt).key.split("/")[1]
    file = ResultFile.objects.filter(job_id=int(number), archive_id=receipt)
    return Job.objects.waiting_for_archive().filter(files__in=file).first()
