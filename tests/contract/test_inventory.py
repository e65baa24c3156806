"""Listings, open uploads and messages of queues, over HTTP."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from celeryconfig import QUEUES
from dev.local_aws import LocalAws
from gas.storage import clients, inventory, queues, tombstones
from gas.storage.errors import StorageError
from gas.storage.locations import results
from gas.storage.s3_glacier import S3GlacierArchive
from gas.storage.tombstones import Buried
from tests.contract.conftest import Publish

LATELY = timedelta(minutes=5)


@pytest.fixture
def bucket(aws: LocalAws) -> str:
    """A bucket with nothing in it."""
    name = f"gas-{uuid.uuid4().hex}"
    clients.s3().create_bucket(Bucket=name)
    return name


def test_a_listing_goes_on_over_pages_in_the_order_of_bytes(bucket: str) -> None:
    keys = [f"results/{number}/1/a" for number in range(1010)]
    odd = ["Z", "a-1", "a/1", "a1", "é", "_", "~", "a.1"]
    for key in [*keys, *odd]:
        clients.s3().put_object(Bucket=bucket, Key=key, Body=b"")
    listed = list(inventory.objects_of(bucket))
    assert [found.location.key for found in listed] == sorted([*keys, *odd])
    assert all(datetime.now(UTC) - found.modified_at < LATELY for found in listed)


def test_uploads_in_parts_that_have_not_ended_are_seen_and_aborted(bucket: str) -> None:
    for name in ("first", "second"):
        clients.s3().create_multipart_upload(Bucket=bucket, Key=name)
    first, second = sorted(inventory.open_uploads(bucket), key=lambda found: found.location.key)
    assert datetime.now(UTC) - first.begun_at < LATELY
    inventory.abort(first)
    assert list(inventory.open_uploads(bucket)) == [second]
    inventory.abort(first)


def test_a_bucket_that_is_not_there_is_an_error_of_ours(aws: LocalAws) -> None:
    with pytest.raises(StorageError):
        list(inventory.objects_of("gas-nowhere"))
    with pytest.raises(StorageError):
        list(inventory.open_uploads("gas-nowhere"))


def test_the_default_archive_tells_every_receipt_and_since_when(publish: Publish) -> None:
    stored = publish(b"result")
    receipt = S3GlacierArchive().store(stored.location, sha256=stored.sha256, size=stored.size)
    receipts = dict(S3GlacierArchive().receipts())
    assert datetime.now(UTC) - receipts[receipt] < LATELY
    assert list(receipts) == sorted(receipts)
    assert str(results(stored.location.key)) not in receipts


@pytest.fixture
def queue(aws: LocalAws) -> str:
    """The address of a dead-letter queue with nothing in it."""
    url = clients.sqs().get_queue_url(QueueName=QUEUES["thaw"].dead_letter_name)["QueueUrl"]
    clients.sqs().purge_queue(QueueUrl=url)
    return url


def test_a_message_is_counted_received_hidden_shown_moved_and_deleted(queue: str) -> None:
    clients.sqs().send_message(QueueUrl=queue, MessageBody="body", MessageGroupId="owner-7")
    assert queues.depth(queue) == 1
    (letter,) = queues.receive(queue, hidden_for=30)
    assert (letter.body, letter.group) == ("body", "owner-7")
    assert queues.receive(queue, hidden_for=30) == []
    queues.show(queue, letter)
    (letter,) = queues.receive(queue, hidden_for=30)
    queues.send(queue, letter)
    queues.delete(queue, letter)
    (copy,) = queues.receive(queue, hidden_for=30)
    assert (copy.body, copy.group, copy.id == letter.id) == ("body", "owner-7", False)
    queues.delete(queue, copy)
    assert queues.depth(queue) == 0


def test_messages_whose_timer_runs_are_not_counted(queue: str) -> None:
    clients.sqs().send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=60)
    assert queues.depth(queue) == 0


def test_a_queue_that_is_not_there_is_an_error_of_ours(queue: str) -> None:
    with pytest.raises(StorageError):
        queues.depth(f"{queue}-nowhere")
    with pytest.raises(StorageError):
        queues.receive(f"{queue}-nowhere", hidden_for=1)


def test_the_default_archive_finds_a_copy_by_its_bytes_whichever_attempt_made_it(
    publish: Publish,
) -> None:
    stored, keeper = publish(b"the same bytes"), S3GlacierArchive()
    receipt = keeper.store(stored.location, sha256=stored.sha256, size=stored.size)
    prefix = stored.location.key[:-4]
    assert keeper.find(prefix, sha256=stored.sha256, size=stored.size) == receipt
    assert keeper.find(prefix, sha256="0" * 64, size=stored.size) is None
    assert keeper.find("elsewhere", sha256=stored.sha256, size=stored.size) is None


def test_a_tombstone_is_found_by_its_number_and_since_when(aws: LocalAws) -> None:
    for place in (tombstones.place_of(Buried.JOB, 7), tombstones.place_of(Buried.ACCOUNT, 8)):
        for _ in range(2):
            tombstones.write(place)
    [job], [account] = list(tombstones.every(Buried.JOB)), list(tombstones.every(Buried.ACCOUNT))
    assert (job.number, account.number) == (7, 8)
    assert datetime.now(UTC) - job.at < LATELY
