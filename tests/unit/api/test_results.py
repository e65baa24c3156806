"""Results by the API: the same filters as the table of the pages, in pages, and as files."""

import gzip
from typing import Any

import pytest
from django.test import Client

from gas import problems
from gas.models import Job, ResultFile, Status, User
from gas.results import variants
from gas.services import results
from gas.storage.locations import results as place_of
from tests.stage import OUTPUTS, Shelf, job_in
from tests.tables import parquet, sample
from tests.unit.api.calls import ROOT

pytestmark = pytest.mark.django_db

TABLE = {**OUTPUTS, ResultFile.Kind.PARQUET: parquet(sample())}


@pytest.fixture
def job(owner: User, shelf: Shelf) -> Job:
    """A completed job with a table of some hundred rows."""
    return job_in(Status.COMPLETED, owner=owner, shelf=shelf, outputs=TABLE)


def get(program: Client, job: Job, path: str) -> Any:
    return program.get(f"{ROOT}/jobs/{job.pk}{path}")


def walked(program: Client, job: Job, query: str) -> list[int]:
    """The rows of all variants of a question, page by page."""
    rows: list[int] = []
    cursor = ""
    while True:
        page = get(program, job, f"/variants?{query}&cursor={cursor}").json()
        rows += [each["row"] for each in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            assert page["count"]["variants"] == len(rows)
            return rows


@pytest.mark.parametrize(
    "query",
    [
        "",
        "gene=pdia2",
        "impact=HIGH&impact=MODERATE",
        "region=chr16:1-20,000&sort=-allele_frequency",
        "af_max=0.01&unseen=on&sort=gene",
        "gene=AXIN1&2-consequence=stop_gained",
    ],
)
def test_pages_of_a_question_are_all_its_variants_once(
    program: Client, job: Job, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = walked(program, job, query)
    monkeypatch.setattr(variants, "PAGE", 7)
    assert walked(program, job, query) == at_once
    assert len(at_once) == len(set(at_once)) > 5


def test_a_page_says_the_filter_in_words_and_shows_what_the_table_holds(
    program: Client, job: Job
) -> None:
    page = get(program, job, "/variants?gene=PDIA2").json()
    assert page["filter"] == "gene is PDIA2"
    shown = page["items"][0]
    (row,) = [sample()[shown["row"]]]
    assert shown == {name: row.get(name) for name in shown} | {"row": shown["row"]}


@pytest.mark.parametrize(
    "query",
    [
        "genes=PDIA2",
        "behind=3",
        "boxes=2",
        "limit=3",
        "sort=colour",
        "af_max=2",
        "region=:",
        "impact=high",
        "gene=a&gene=b",
        "5-gene=a",
        "gene=" + "x" * 200,
    ],
)
def test_a_question_that_makes_no_sense_is_refused(program: Client, job: Job, query: str) -> None:
    answer = get(program, job, f"/variants?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, problems.INVALID.address)


def test_every_transcript_of_a_variant_is_listed_and_there_is_none_behind_the_last(
    program: Client, job: Job
) -> None:
    rows = get(program, job, "/variants/0").json()["items"]
    assert rows[0]["transcript"].startswith("NM_")
    assert get(program, job, f"/variants/{len(sample())}").status_code == 404
    assert get(program, job, "/variants/-1").status_code == 422


def test_wanted_variants_come_as_a_file_and_all_of_them_by_a_link(
    program: Client, job: Job
) -> None:
    answer = get(program, job, "/export/tsv?gene=PDIA2")
    lines = gzip.decompress(b"".join(answer.streaming_content)).decode().splitlines()
    assert len(lines) == 1 + sum(row["gene"] == "PDIA2" for row in sample())
    assert "Trio 7.filtered.tsv.gz" in answer.headers["Content-Disposition"]
    whole = get(program, job, "/export/tsv")
    assert (whole.status_code, "/tsv?" in whole.headers["Location"]) == (302, True)
    assert get(program, job, "/export/tsv?sort=gene").status_code == 422
    assert get(program, job, "/export/pdf?gene=PDIA2").status_code == 422


def test_as_many_questions_as_can_be_answered_are_and_others_are_told_to_wait(
    program: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "PATIENCE", 0.0)
    taken = [results._looking.acquire(blocking=False) for _ in range(results.LOOKS)]
    try:
        answer = get(program, job, "/variants")
    finally:
        for _ in taken:
            results._looking.release()
    assert (answer.status_code, answer.json()["type"]) == (503, problems.BUSY.address)
    assert int(answer.headers["Retry-After"]) > 0


def test_files_are_listed_in_order_with_what_they_are(program: Client, job: Job) -> None:
    told = get(program, job, "/files").json()["items"]
    assert [each["kind"] for each in told] == list(ResultFile.NAMES)
    assert told[0]["saved_as"] == "Trio 7.annotated.vcf.gz"
    assert told[0]["size"] == len(OUTPUTS[ResultFile.Kind.VCF])
    assert told[0]["is_at_hand"] is True


def test_a_link_is_good_for_minutes_and_kept_by_nobody(program: Client, job: Job) -> None:
    answer = get(program, job, "/files/vcf")
    told = answer.json()
    assert told["expires_in"] == 300
    assert "X-Amz-Expires=300" in told["url"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in answer.headers
    led = get(program, job, "/files/vcf/content")
    assert led.status_code == 302
    assert led.headers["Location"].partition("?")[0] == told["url"].partition("?")[0]


@pytest.mark.parametrize(
    "path",
    ["/files/vcf", "/files/vcf/content", "/variants", "/variants/0", "/export/vcf?gene=PDIA2"],
)
@pytest.mark.parametrize("status", [Status.QUEUED, Status.FAILED, Status.ARCHIVED])
def test_what_is_not_at_hand_is_a_conflict(
    program: Client, owner: User, shelf: Shelf, status: Status, path: str
) -> None:
    job = job_in(status, owner=owner, shelf=shelf)
    answer = get(program, job, path)
    assert (answer.status_code, answer.json()["type"]) == (409, problems.NO_RESULTS.address)


def test_the_log_the_counts_and_the_provenance_stay_at_hand_in_the_archive(
    program: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    log = get(program, job, "/log")
    assert log.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert log.content == OUTPUTS[ResultFile.Kind.LOG]
    assert get(program, job, "/summary").json()["impacts"]["HIGH"] == 1
    assert get(program, job, "/provenance").json() == {}
    waiting = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    for path in ("/log", "/summary", "/provenance"):
        assert get(program, waiting, path).status_code == 409


def test_bytes_that_went_away_meanwhile_are_a_conflict(
    program: Client, job: Job, shelf: Shelf
) -> None:
    for kind in (ResultFile.Kind.LOG, ResultFile.Kind.PARQUET):
        del shelf.held[place_of(job.files.get(kind=kind).key)]
    assert get(program, job, "/log").status_code == 409
    assert get(program, job, "/variants").status_code == 409


def test_who_has_an_answer_already_is_not_sent_it_again(program: Client, job: Job) -> None:
    for path in ("", "/variants?gene=PDIA2", "/log", "/files", "/events"):
        first = get(program, job, path)
        etag = first.headers["ETag"]
        for known in (etag, f'"x", W/{etag}', "*"):
            again = program.get(f"{ROOT}/jobs/{job.pk}{path}", headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == etag
            assert "RateLimit-Remaining" in again.headers
        other = program.get(f"{ROOT}/jobs/{job.pk}{path}", headers={"If-None-Match": '"x"'})
        assert other.status_code == 200
    Job.objects.filter(pk=job.pk).update(name="Other")
    changed = program.get(f"{ROOT}/jobs/{job.pk}", headers={"If-None-Match": etag})
    assert changed.status_code == 200
