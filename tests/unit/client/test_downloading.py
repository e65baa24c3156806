"""Files of results arrive whole and proven, whatever breaks in between."""

import json
from pathlib import Path

import httpx
import pytest

from gas_client import Client, FileTrouble, GasError, Refused, Unavailable, pieces
from gas_client.job import Job
from tests.unit.client.service import Pieces, Service, job_document, ranged

CONTENT = bytes(range(251)) * 18  # five pieces, the last one shorter


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 1000)


@pytest.fixture
def job(client: Client, service: Service) -> Job:
    service.jobs[7] = job_document(7, status="completed")
    service.files["tsv"] = CONTENT
    return client.job(7)


def ranges(service: Service) -> list[str]:
    return sorted(one.headers["Range"] for one in service.asked("GET", "storage.example.org"))


def break_off(service: Service, pattern: str, times: int) -> None:
    """Let storage hang up in the middle of answers."""

    def half(request: httpx.Request) -> httpx.Response:
        whole = ranged(request, CONTENT, service.etag)
        assert isinstance(whole.stream, Pieces)
        sent = b"".join(whole.stream)[:300]
        return httpx.Response(206, stream=Pieces(sent, breaks=True), headers=whole.headers)

    service.fail("GET", pattern, *[half] * times)


def test_a_file_comes_in_ranges_and_gets_its_name_when_it_is_whole(
    job: Job, service: Service, home: Path
) -> None:
    (path,) = job.download(to=home / "results")
    assert path == home / "results" / "job-7.annotated.tsv"
    assert path.read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert ranges(service) == [
        f"bytes={start}-{min(start + 1000, len(CONTENT)) - 1}" for start in range(0, 4518, 1000)
    ]
    assert len(service.asked("GET", "/files/tsv$")) == 1


def test_storage_never_sees_the_token_and_packs_nothing(job: Job, service: Service) -> None:
    job.download()
    asked = service.asked("GET", "storage.example.org")
    assert not any("Authorization" in one.headers for one in asked)
    assert {one.headers["Accept-Encoding"] for one in asked} == {"identity"}


def test_pieces_that_came_before_a_break_are_not_asked_for_again(
    job: Job, service: Service, home: Path
) -> None:
    service.fail("GET", "storage.example.org", lambda one: ranged(one, CONTENT, service.etag))
    break_off(service, "storage.example.org", 28)
    with pytest.raises(Unavailable):
        job.download()
    assert not (home / "job-7.annotated.tsv").exists()
    here = json.loads((home / "job-7.annotated.tsv.part.json").read_text())["done"]
    assert 0 in here
    service.faults.clear()
    service.requests.clear()
    job.download()
    assert (home / "job-7.annotated.tsv").read_bytes() == CONTENT
    assert len(ranges(service)) == 5 - len(here)
    assert f"bytes={0}-999" not in ranges(service)


def test_a_piece_that_breaks_off_comes_again_by_a_new_link(job: Job, service: Service) -> None:
    break_off(service, "storage.example.org", 1)
    (path,) = job.download()
    assert path.read_bytes() == CONTENT
    assert len(service.asked("GET", "/files/tsv$")) == 2


def test_a_link_that_is_over_is_replaced(job: Job, service: Service) -> None:
    over = httpx.Response(403, text="<Error><Code>AccessDenied</Code></Error>")
    service.fail("GET", "storage.example.org", over)
    (path,) = job.download()
    assert path.read_bytes() == CONTENT
    links = {str(one.url) for one in service.asked("GET", "storage.example.org")}
    assert len(links) == 2


def test_a_file_that_was_replaced_in_storage_begins_again(
    job: Job, service: Service, home: Path
) -> None:
    partial = pieces.Partial(home / "job-7.annotated.tsv", len(CONTENT), job.files()[0].sha256)
    partial.open()
    partial.etag = '"older"'
    partial.content.write_bytes(b"x" * len(CONTENT))
    partial.add(1)
    (path,) = job.download()
    assert path.read_bytes() == CONTENT


def test_a_storage_that_replaces_a_file_all_the_time_is_given_up(
    job: Job, service: Service, home: Path
) -> None:
    def other(request: httpx.Request) -> httpx.Response:
        service.etag = f'"{len(service.requests)}"'
        return ranged(request, CONTENT, service.etag)

    service.fail("GET", "storage.example.org", *[other] * 20)
    with pytest.raises(GasError, match="was replaced while"):
        job.download()
    assert not (home / "job-7.annotated.tsv").exists()


def test_wrong_bytes_never_get_the_name_and_are_not_kept(
    job: Job, service: Service, home: Path
) -> None:
    def wrong(request: httpx.Request) -> httpx.Response:
        return ranged(request, CONTENT[::-1], service.etag)

    service.fail("GET", "storage.example.org", wrong)
    with pytest.raises(FileTrouble, match="wrong bytes"):
        job.download()
    assert list(home.glob("job-7*")) == []


def test_what_is_here_already_is_not_fetched_again(job: Job, service: Service) -> None:
    job.download()
    before = len(service.asked("GET", "storage.example.org"))
    job.download()
    assert len(service.asked("GET", "storage.example.org")) == before


def test_another_file_of_that_name_is_replaced_whole(
    job: Job, service: Service, home: Path
) -> None:
    (home / "job-7.annotated.tsv").write_bytes(b"of another job")
    (path,) = job.download()
    assert path.read_bytes() == CONTENT


def test_an_empty_file_is_saved_too(job: Job, service: Service) -> None:
    service.files["skipped"] = b""
    (path,) = job.download(["skipped"])
    assert path.read_bytes() == b""


def test_more_bytes_than_were_asked_for_are_not_taken(job: Job, service: Service) -> None:
    def too_much(request: httpx.Request) -> httpx.Response:
        whole = ranged(request, CONTENT, service.etag)
        assert isinstance(whole.stream, Pieces)
        more = Pieces(b"".join(whole.stream) + b"more")
        return httpx.Response(206, stream=more, headers=whole.headers)

    service.fail("GET", "storage.example.org", *[too_much] * 5)
    (path,) = job.download()
    assert path.read_bytes() == CONTENT


def test_storage_without_ranges_is_refused(job: Job, service: Service) -> None:
    def whole(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Pieces(CONTENT), headers={"ETag": service.etag})

    service.fail("GET", "storage.example.org", *[whole] * 7)
    with pytest.raises(Unavailable, match="no part of a file"):
        job.download()


@pytest.mark.parametrize("name", ["../.bashrc", "/etc/passwd", ".hidden", "a/b", "a\x1b[2J", ""])
def test_a_name_that_is_no_plain_name_is_never_written(
    job: Job, service: Service, home: Path, name: str
) -> None:
    told = {"kind": "tsv", "name": name, "size": 1, "sha256": "0" * 64, "is_at_hand": True}
    service.fail("GET", "/files$", httpx.Response(200, json={"items": [told]}))
    with pytest.raises(Unavailable, match="no name"):
        job.download()


def test_a_link_that_others_could_read_is_not_followed(job: Job, service: Service) -> None:
    told = {"url": "http://storage.example.org/results/7/tsv"}
    service.fail("GET", "/files/tsv$", *[httpx.Response(200, json=told)] * 7)
    with pytest.raises(Unavailable, match="not encrypted"):
        job.download()
    assert service.asked("GET", "storage.example.org") == []


def test_a_folder_that_cannot_be_written_is_named(job: Job, home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(FileTrouble, match="cannot be written"):
        job.download(to=home / "file")


def test_files_in_the_archive_and_jobs_without_results_say_what_to_do(
    job: Job, service: Service
) -> None:
    with pytest.raises(Refused, match="no file of the kind vcf"):
        job.download(["vcf"])
    told = {"kind": "tsv", "name": "a.tsv", "size": 1, "sha256": "0" * 64, "is_at_hand": False}
    service.fail("GET", "/files$", httpx.Response(200, json={"items": [told]}))
    with pytest.raises(Refused, match="gas restore 7"):
        job.download()
    service.files.clear()
    with pytest.raises(Refused, match="has no results"):
        job.download()
