"""A file becomes one job, whatever breaks in between."""

import hashlib
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from gas_client import Client, FileTrouble, Limited, NotThere, Refused, Unavailable
from gas_client.patience import Patience
from tests.unit.client.service import ADDRESS, TOKEN, Service, problem

AWAY = httpx.ConnectError("connection refused")


def digests(path: Path, size: int) -> dict[int, str]:
    content = path.read_bytes()
    starts = range(0, len(content), size)
    return {
        n: hashlib.sha256(content[start : start + size]).hexdigest()
        for n, start in enumerate(starts, 1)
    }


def keys(service: Service) -> list[str]:
    return [made.headers["Idempotency-Key"] for made in service.asked("POST", "/jobs$")]


def test_every_part_arrives_with_its_checksum_and_makes_one_job(
    client: Client, service: Service, file: Path
) -> None:
    job = client.submit(file, name="Trio 7", bundle="demo-grch38", notes="mother")
    (upload,) = service.uploads.values()
    assert upload.parts == digests(file, 1000)
    assert json.loads(service.asked("POST", "/jobs$")[0].content) == {
        "upload": upload.id,
        "name": "Trio 7",
        "bundle": "demo-grch38",
        "notes": "mother",
    }
    assert (job.id, job.facts.name) == (1, "Trio 7")


def test_storage_never_sees_the_token(client: Client, service: Service, file: Path) -> None:
    client.submit(file)
    sent = service.asked("PUT", "storage.example.org")
    assert len(sent) == 5
    assert not any("Authorization" in one.headers or TOKEN in repr(one.headers) for one in sent)


def test_a_part_that_storage_refuses_goes_again_by_a_new_link(
    client: Client, service: Service, file: Path
) -> None:
    service.fail("PUT", "part=3", httpx.Response(403, text="<Code>AccessDenied</Code>"), AWAY)
    client.submit(file)
    (upload,) = service.uploads.values()
    assert upload.parts == digests(file, 1000)
    signed = [
        json.loads(one.content)["parts"][0]["number"] for one in service.asked("POST", "/parts")
    ]
    assert sorted(signed) == [1, 2, 3, 3, 3, 4, 5]


def test_what_arrived_before_a_break_is_not_sent_again(
    client: Client, service: Service, file: Path
) -> None:
    service.fail("PUT", "part=4", *[AWAY] * 7)
    with pytest.raises(Unavailable):
        client.submit(file)
    arrived = {*next(iter(service.uploads.values())).parts}
    before = len(service.asked("PUT"))
    client.submit(file)
    again = {int(one.url.params["part"]) for one in service.asked("PUT")[before:]}
    assert again == {1, 2, 3, 4, 5} - arrived
    assert 4 in again
    assert len(service.jobs) == 1


def test_a_part_that_arrived_with_other_bytes_is_sent_again(
    client: Client, service: Service, file: Path
) -> None:
    service.fail("POST", "/jobs$", *[AWAY] * 4)
    with pytest.raises(Unavailable):
        client.submit(file)
    (upload,) = service.uploads.values()
    upload.parts[2] = "0" * 64
    client.submit(file)
    assert upload.parts == digests(file, 1000)
    assert len(service.asked("PUT")) == 6


def test_a_lost_answer_repeats_its_key_and_an_answered_one_does_not(
    client: Client, service: Service, file: Path
) -> None:
    def lost(request: httpx.Request) -> httpx.Response:
        service.answer(request)
        raise httpx.ReadTimeout("timed out")

    service.fail("POST", "/jobs$", *[lost] * 4)
    with pytest.raises(Unavailable):
        client.submit(file)
    assert client.submit(file).id == 1
    assert len(set(keys(service))) == 1
    assert len(service.asked("PUT")) == 5
    assert client.submit(file).id == 2
    assert len(set(keys(service))) == 2


def test_a_lost_answer_about_the_example_or_a_rerun_makes_no_second_job(
    client: Client, service: Service
) -> None:
    def lost(request: httpx.Request) -> httpx.Response:
        service.answer(request)
        raise httpx.ReadTimeout("timed out")

    service.fail("POST", "/jobs$", *[lost] * 4)
    with pytest.raises(Unavailable):
        client.submit_example()
    job = client.submit_example()
    service.fail("POST", "/rerun$", *[lost] * 4)
    with pytest.raises(Unavailable):
        job.rerun()
    assert job.rerun().id == 2
    assert len(service.jobs) == 2
    assert job.rerun().id == 3


def test_a_job_of_other_settings_has_another_key(
    client: Client, service: Service, file: Path
) -> None:
    service.fail("POST", "/jobs$", *[AWAY] * 4)
    with pytest.raises(Unavailable):
        client.submit(file, name="one")
    client.submit(file, name="two")
    assert len(set(keys(service))) == 2


def test_a_file_that_waits_for_room_is_not_sent_again(
    client: Client, service: Service, file: Path
) -> None:
    service.fail("POST", "/jobs$", problem(409, "You have 10 jobs already.", "job-refused"))
    with pytest.raises(Refused, match=r"^You have 10 jobs already\.$"):
        client.submit(file)
    next(iter(service.uploads.values())).status = "complete"
    client.submit(file)
    assert len(service.asked("PUT")) == 5


@pytest.mark.parametrize("kind", ["idempotency-key-spent", "idempotency-key-reused"])
def test_a_key_that_makes_no_job_any_more_is_not_kept(
    client: Client, service: Service, kind: str
) -> None:
    service.fail("POST", "/jobs$", problem(409, "The job has been deleted.", kind))
    with pytest.raises(Refused):
        client.submit_example()
    client.submit_example()
    first, second = keys(service)
    assert first != second


@pytest.mark.parametrize("status", ["refused", "gone"])
def test_an_upload_that_ended_meanwhile_begins_again(
    client: Client, service: Service, file: Path, status: str
) -> None:
    service.fail("POST", "/jobs$", *[AWAY] * 4)
    with pytest.raises(Unavailable):
        client.submit(file)
    (upload,) = service.uploads.values()
    upload.status = status
    client.submit(file)
    assert len(service.asked("PUT")) == 10
    assert len(set(keys(service))) == 2


def replaced(path: Path) -> None:
    path.with_name("new").write_bytes(path.read_bytes())
    path.with_name("new").replace(path)


def touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def shortened(path: Path) -> None:
    os.truncate(path, 4000)


@pytest.mark.parametrize("change", [replaced, touched, shortened])
def test_a_file_that_changes_while_it_is_sent_makes_no_job(
    client: Client, service: Service, file: Path, change: Callable[[Path], None]
) -> None:
    def changing(request: httpx.Request) -> httpx.Response:
        change(file)
        return service.answer(request)

    service.fail("PUT", "part=5", changing)
    with pytest.raises(FileTrouble, match="changed while it was sent"):
        client.submit(file)
    assert service.jobs == {}


def test_a_file_that_changes_after_its_last_part_makes_no_job_either(
    client: Client, service: Service, tmp_path: Path
) -> None:
    small = tmp_path / "small.vcf"
    small.write_bytes(b"one part")

    def changing(request: httpx.Request) -> httpx.Response:
        answer = service.answer(request)
        touched(small)
        return answer

    service.fail("PUT", "part=1", changing)
    with pytest.raises(FileTrouble, match="changed while it was sent"):
        client.submit(small)
    assert service.jobs == {}


def test_an_empty_or_missing_file_is_told_before_anything_is_asked(
    client: Client, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "empty.vcf").touch()
    with pytest.raises(FileTrouble, match="is empty"):
        client.submit(tmp_path / "empty.vcf")
    with pytest.raises(FileTrouble, match="No such file"):
        client.submit(tmp_path / "missing.vcf")
    assert service.requests == []


def test_the_wait_that_the_service_asks_for_is_kept(
    client: Client, service: Service, file: Path, waits: list[float]
) -> None:
    service.fail("POST", "/uploads$", problem(429, "Too many requests.", Retry_After="17"))
    service.fail("POST", "/jobs$", problem(503, "Busy.", Retry_After="23"))
    client.submit(file)
    assert waits == [17.0, 23.0]


def test_a_longer_wait_than_anybody_has_is_told_at_once(
    client: Client, service: Service, waits: list[float]
) -> None:
    service.fail("POST", "/jobs$", problem(429, "Too many requests.", Retry_After="3600"))
    with pytest.raises(Limited) as caught:
        client.submit_example()
    assert caught.value.retry_after == 3600
    assert waits == []


def test_an_upload_that_storage_has_given_up_says_so_at_once(
    client: Client, service: Service, file: Path, waits: list[float]
) -> None:
    gone = httpx.Response(404, text="<Error><Code>NoSuchUpload</Code></Error>")
    service.fail("PUT", "part=", *[gone] * 4)
    with pytest.raises(NotThere, match="This upload has ended"):
        client.submit(file)
    assert waits == []


def test_a_large_file_is_never_held_whole(patience: Patience, tmp_path: Path) -> None:
    service = Service(part_size=16 << 20)
    client = Client(ADDRESS, TOKEN, transport=service, patience=patience)
    large = tmp_path / "large.vcf"
    with large.open("wb") as file:
        file.truncate(64 << 20)
    tracemalloc.start()
    try:
        client.submit(large)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(service.asked("PUT")) == 4
    assert peak < 24 << 20
