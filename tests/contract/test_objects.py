"""Downloads, publishing, fetching, listing and deleting, over HTTP."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import urllib3

from dev.local_aws import LocalAws
from dev.waiting import until
from gas.storage import clients, objects, streams
from gas.storage.digests import MIB
from gas.storage.errors import (
    AccessRefused,
    ChecksumMismatch,
    ObjectMissing,
    ObjectReplaced,
    StorageError,
    StorageUnavailable,
)
from gas.storage.locations import Location, inputs, results
from gas.storage.ranges import RangedObject
from tests.contract.conftest import Publish
from tests.contract.scripted import Answer, s3_error, scripted

CONTENT = b"##fileformat=VCFv4.2\r\n--boundary--\r\n"


@pytest.fixture
def place(aws: LocalAws) -> Location:
    return inputs(f"inputs/1/{uuid.uuid4()}/input.vcf.gz")


def _get(url: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request("GET", url, headers=headers, retries=False)


def _is_there(at: Location) -> bool:
    return list(objects.keys_under(at)) == [at]


# --- downloads ------------------------------------------------------------------------------------


def test_a_link_downloads_the_file_under_its_name_and_type(publish: Publish) -> None:
    stored = publish(CONTENT)
    url = objects.presign_download(
        stored.location, filename='é"\r\nX: y/../a.vcf.gz', content_type="application/gzip"
    )
    answer = _get(url)
    assert answer.data == CONTENT
    assert answer.headers["Content-Type"] == "application/gzip"
    name = quote("é_X_ y_.._a.vcf.gz")
    assert answer.headers["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"
    assert "X" not in answer.headers
    assert _get(url, Range="bytes=2-5").data == CONTENT[2:6]


def test_a_link_opens_nothing_else(publish: Publish) -> None:
    mine, other = publish(CONTENT), publish(b"secret")
    url = objects.presign_download(mine.location, filename="a", content_type="text/plain")
    assert _get(url.replace(mine.location.key, other.location.key)).status == 403
    assert _get(url.replace("attachment", "inline")).status == 403
    assert _get(url.partition("?")[0]).status == 403


def test_a_link_ends(publish: Publish) -> None:
    url = objects.presign_download(
        publish(CONTENT).location, filename="a", content_type="text/plain", seconds=1
    )
    until(lambda: _get(url).status != 200, "the end of the link", seconds=60)
    assert _get(url).status == 403


def test_a_link_lives_five_minutes_at_most(publish: Publish) -> None:
    location = publish(CONTENT).location
    url = objects.presign_download(location, filename="a", content_type="text/plain", seconds=9999)
    assert "X-Amz-Expires=300&" in url


# --- publishing and fetching ----------------------------------------------------------------------


def test_a_published_file_has_its_digest_recorded_by_s3(publish: Publish) -> None:
    stored = publish(CONTENT)
    head = clients.s3().head_object(
        Bucket=stored.location.bucket, Key=stored.location.key, ChecksumMode="ENABLED"
    )
    assert head["ChecksumType"] == "FULL_OBJECT"
    assert head["Metadata"] == {"sha256": stored.sha256}
    assert objects.head(stored.location).sha256 == stored.sha256


def test_a_file_above_the_limit_of_one_request_goes_up_in_parts(
    aws: LocalAws, tmp_path: Path
) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(17 * MIB))
    to = results(f"results/{uuid.uuid4()}/1/large")
    stored = objects.publish(path, to, single_put=16 * MIB)
    head = objects.head(to)
    assert (head.size, head.sha256) == (17 * MIB, stored.sha256)
    assert head.etag.endswith('-2"')
    assert objects.fetch(to, tmp_path / "back", sha256=stored.sha256).size == 17 * MIB


def test_a_stream_with_other_bytes_than_promised_never_appears(
    aws: LocalAws, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    to = results(f"results/{uuid.uuid4()}/1/a")
    with path.open("rb") as file, pytest.raises(ChecksumMismatch):
        streams.upload(file, to, sha256="0" * 64, size=len(CONTENT))
    with path.open("rb") as file, pytest.raises(ChecksumMismatch):
        streams.put(file, to, sha256="0" * 64)
    assert not _is_there(to)
    listed = clients.s3().list_multipart_uploads(Bucket=to.bucket)
    assert to.key not in [upload["Key"] for upload in listed.get("Uploads", [])]


def test_a_fetched_file_is_the_one_expected(publish: Publish, tmp_path: Path) -> None:
    stored = publish(CONTENT)
    etag = objects.head(stored.location).etag
    to = tmp_path / "input"
    fetched = objects.fetch(stored.location, to, size=stored.size, etag=etag, sha256=stored.sha256)
    assert (fetched, to.read_bytes()) == (stored, CONTENT)


@pytest.mark.parametrize(
    ("expected", "fault"),
    [
        ({"size": 1}, ChecksumMismatch),
        ({"etag": '"0"'}, ObjectReplaced),
        ({"sha256": "0" * 64}, ChecksumMismatch),
    ],
    ids=["size", "etag", "sha256"],
)
def test_a_file_that_was_changed_since_is_not_fetched(
    publish: Publish, tmp_path: Path, expected: dict[str, Any], fault: type[StorageError]
) -> None:
    with pytest.raises(fault):
        objects.fetch(publish(CONTENT).location, tmp_path / "input", **expected)
    assert list(tmp_path.glob("input*")) == []


def test_the_start_of_a_file_is_read_and_no_more(publish: Publish) -> None:
    location = publish(CONTENT).location
    assert objects.read_start(location, 5) == CONTENT[:5]
    assert objects.read_start(publish(b"").location, 5) == b""
    with pytest.raises(ObjectReplaced):
        objects.read_start(location, 5, etag='"another version"')


def test_a_missing_file_is_missing_to_every_reader(place: Location, tmp_path: Path) -> None:
    for read in (objects.head, objects.read_start, lambda at: objects.fetch(at, tmp_path / "x")):
        with pytest.raises(ObjectMissing):
            read(place)


def test_a_storage_that_forgets_what_it_took_is_not_believed(
    lead_to: Callable[[str], None], tmp_path: Path
) -> None:
    path = tmp_path / "a"
    path.write_bytes(CONTENT)
    with scripted(Answer(200), Answer(404)) as script:
        lead_to(script.endpoint)
        with pytest.raises(ChecksumMismatch):
            objects.publish(path, results("results/1/1/a"))


# --- listing and deleting -------------------------------------------------------------------------


def test_listing_and_deleting_go_beyond_a_thousand(aws: LocalAws) -> None:
    prefix = results(f"results/{uuid.uuid4()}/")
    expected = [replace(prefix, key=f"{prefix.key}{n:04}") for n in range(1003)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: clients.s3().put_object(Bucket=at.bucket, Key=at.key), expected))
    assert list(objects.keys_under(prefix)) == expected
    calls: list[dict[str, Any]] = []
    event = "before-parameter-build.s3.DeleteObjects"
    clients.s3().meta.events.register(event, lambda params, **_: calls.append(params), event)
    try:
        objects.delete([*expected, replace(prefix, key="results/never/was")])
    finally:
        clients.s3().meta.events.unregister(event, unique_id=event)
    # S3 takes 1,000 keys a request; the local AWS would take more.
    assert [len(call["Delete"]["Objects"]) for call in calls] == [1000, 4]
    assert list(objects.keys_under(prefix)) == []


# --- when S3 is not well --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (s3_error(500, "InternalError"), StorageUnavailable),
        (s3_error(403, "AccessDenied"), AccessRefused),
        (s3_error(404, "NoSuchKey"), ObjectMissing),
        (s3_error(404, "NoSuchBucket"), StorageError),
        (Answer(200, b"half", promised=4), StorageUnavailable),
    ],
    ids=["broken", "refused", "no key", "no bucket", "cut off"],
)
def test_a_failure_has_one_of_our_names(
    lead_to: Callable[[str], None], tmp_path: Path, answer: Answer, error: type[StorageError]
) -> None:
    with scripted(answer) as script:
        lead_to(script.endpoint)
        with pytest.raises(StorageError) as caught:
            objects.fetch(results("results/1/1/a"), tmp_path / "a")
    assert type(caught.value) is error
    assert list(tmp_path.iterdir()) == []


def test_nobody_listening_means_unavailable(lead_to: Callable[[str], None]) -> None:
    lead_to("http://127.0.0.1:9")
    with pytest.raises(StorageUnavailable):
        objects.head(results("results/1/1/a"))


def test_a_short_outage_is_not_noticed(lead_to: Callable[[str], None]) -> None:
    with scripted(s3_error(503, "SlowDown"), Answer(200, b"ok", headers={"ETag": '"1"'})) as script:
        lead_to(script.endpoint)
        assert objects.read_start(results("results/1/1/a")) == b"ok"
    assert len(script.requests) == 2


@pytest.mark.parametrize("headers", [{}, {"ETag": '"of something else"'}], ids=["none", "another"])
def test_a_success_that_does_not_name_the_object_is_nobodys_file(
    headers: dict[str, str], tmp_path: Path, lead_to: Callable[[str], None]
) -> None:
    at = results("results/1/1/a")
    with scripted(Answer(200, b"<!doctype html>", headers=headers)) as script:
        lead_to(script.endpoint)
        with pytest.raises(StorageUnavailable):
            objects.fetch(at, tmp_path / "a", etag='"1"')
        with pytest.raises(StorageUnavailable):
            objects.read_start(at, etag='"1"')
    assert list(tmp_path.iterdir()) == []


def test_a_success_without_a_name_tells_nothing_of_an_object(
    lead_to: Callable[[str], None],
) -> None:
    at = results("results/1/1/a")
    with scripted(Answer(200, b"<!doctype html>")) as script:
        lead_to(script.endpoint)
        with pytest.raises(StorageUnavailable):
            objects.head(at)
        with pytest.raises(StorageUnavailable):
            RangedObject(at, 100).read(0, 10)
