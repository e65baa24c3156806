"""What the client makes of answers, and how patiently it asks."""

import threading
import time
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from gas_client import Client, GasError, JobFailed, Misused, NotSignedIn, Status, Unavailable, lanes
from gas_client.errors import FileTrouble, TookTooLong, TryLater
from gas_client.filters import joined, query_of
from gas_client.journal import KEPT, Journal
from gas_client.lanes import in_lanes
from gas_client.patience import Patience, patiently, seconds_of
from tests.unit.client.service import ADDRESS, TOKEN, Service, job_document, problem

ODD = "The service does not answer as this client knows it."


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        *((400, "Refused", 4), (403, "Refused", 4), (404, "NotThere", 4), (409, "Refused", 4)),
        *((413, "Refused", 4), (422, "Refused", 4), (429, "Limited", 4)),
        *((500, "Unavailable", 5), (502, "Unavailable", 5), (503, "Unavailable", 5)),
    ],
)
def test_a_problem_becomes_its_sentence_and_an_exit_code(
    client: Client, service: Service, status: int, kind: str, code: int
) -> None:
    service.fail("GET", "/me", *[problem(status, "This is why.")] * 4)
    with pytest.raises(GasError) as caught:
        client.me()
    assert str(caught.value) == "This is why."
    assert type(caught.value).__name__ == kind
    assert caught.value.exit_code == code


def test_a_token_that_is_over_says_so(service: Service, patience: Patience) -> None:
    client = Client(ADDRESS, "gas_revoked", transport=service, patience=patience)
    with pytest.raises(NotSignedIn, match="run: gas login"):
        client.me()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (httpx.Response(418, html="<h1>I am a teapot</h1>"), "gas.example.org answers 418."),
        (httpx.Response(418, json=["odd"]), "gas.example.org answers 418."),
        (problem(409, "a\x1b[2Jb\nc"), "a [2Jb c"),
        (problem(409, "x" * 9999), "x" * 500),
        (httpx.Response(200, html="<h1>Hi</h1>"), "gas.example.org does not answer as GAS does."),
        (httpx.Response(200, json=[]), ODD),
        (httpx.Response(200, json={"account": 1}), ODD),
    ],
)
def test_what_is_no_answer_of_gas_becomes_one_harmless_sentence(
    client: Client, service: Service, answer: httpx.Response, sentence: str
) -> None:
    service.fail("GET", "/me", *[answer] * 4)
    with pytest.raises(GasError) as caught:
        client.me()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (httpx.ConnectError("refused"), f"{ADDRESS} cannot be reached (refused)."),
        (httpx.ReadError(""), f"{ADDRESS} cannot be reached (it hung up)."),
        (httpx.ConnectTimeout("timed out"), f"{ADDRESS} did not answer in time."),
    ],
)
def test_a_network_that_fails_becomes_a_sentence_without_the_token(
    client: Client, service: Service, broken: Exception, sentence: str, waits: list[float]
) -> None:
    service.fail("GET", "/me", *[broken] * 4)
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert str(caught.value) == sentence
    assert waits == [0.5, 1.0, 2.0]
    assert TOKEN not in repr(caught.value)


def test_a_failure_that_passes_is_not_noticed(client: Client, service: Service) -> None:
    service.fail("GET", "/me", httpx.ConnectError("refused"), problem(502, "Bad gateway."))
    assert client.me().plan.name == "free"


def test_waits_double_up_to_a_limit_and_are_shortened_by_chance() -> None:
    assert [*Patience(tries=7, first=1, most=8, chance=lambda: 0.0).waits()] == [1, 2, 4, 8, 8, 8]
    assert [*Patience(tries=2, first=1, chance=lambda: 1.0).waits()] == [0.75]


def test_each_longer_wait_is_told_before_it_begins() -> None:
    told: list[tuple[str, float]] = []

    def busy() -> None:
        raise TryLater("Busy.", 9.0)

    with pytest.raises(TryLater):
        patiently(
            busy,
            Patience(tries=3, sleep=lambda _: None),
            lambda why, wait: told.append((str(why), wait)),
        )
    assert told == [("Busy.", 9.0), ("Busy.", 9.0)]


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert seconds_of("17") == 17
    assert 0 < (seconds_of(soon) or 0) <= 60
    assert seconds_of(past) == 0
    assert seconds_of("") is seconds_of("soon") is seconds_of("-1") is None


def test_lanes_do_everything_and_no_more_at_once_than_they_may() -> None:
    lock, done, most, here = threading.Lock(), list[int](), [0], [0]
    together = threading.Barrier(3, timeout=60)

    def do(item: int) -> None:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        together.wait()
        with lock:
            here[0] -= 1
            done.append(item)

    in_lanes(range(9), do, lanes=3, stop=threading.Event())
    assert sorted(done) == [*range(9)]
    assert most == [3]


def test_the_first_failure_stops_all_lanes_and_is_the_one_that_is_raised() -> None:
    stop, begun = threading.Event(), list[int]()

    def do(item: int) -> None:
        begun.append(item)
        if item == 1:
            raise FileTrouble("broken")
        stop.wait(60)

    with pytest.raises(FileTrouble, match="broken"):
        in_lanes(range(100), do, lanes=2, stop=stop)
    assert sorted(begun) == [0, 1]


def test_a_lane_that_sleeps_holds_up_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOMENT", 0.01)
    awake = threading.Event()

    def do(item: int) -> None:
        if item:
            raise FileTrouble("broken")
        awake.wait(60)

    try:
        with pytest.raises(FileTrouble, match="broken"):
            in_lanes(range(2), do, lanes=2, stop=threading.Event())
        assert not awake.is_set()
    finally:
        awake.set()


def test_a_broken_call_is_forgotten_after_two_days(home: Path) -> None:
    now = [1000.0]
    journal = Journal(clock=lambda: now[0])
    call = journal.begin("submit", "a.vcf", 7)
    assert journal.begin("submit", "a.vcf", 7) == call
    assert journal.begin("submit", "a.vcf", 8).key != call.key
    now[0] += KEPT
    assert journal.begin("submit", "a.vcf", 7).key != call.key
    for damaged in ("", "{}", '{"at": 1e99, "key": "no", "upload": ""}'):
        journal._file(call.name).write_text(damaged)
        assert journal.begin("submit", "a.vcf", 7).key != call.key
    files = [*(home / "state" / "gas" / "unfinished").iterdir()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    now[0] = time.time() + KEPT + 60
    journal.begin("submit", "b.vcf", 7)
    assert not any(file.exists() for file in files)


def test_jobs_are_asked_for_page_by_page_as_they_are_taken(
    client: Client, service: Service
) -> None:
    service.jobs = {number: job_document(number) for number in range(1, 6)}
    found = client.jobs(status="queued", words="trio 7", since=date(2026, 3, 1))
    assert next(found).id == 5
    assert len(service.requests) == 1
    assert [job.id for job in found] == [4, 3, 2, 1]
    assert [dict(one.url.params) for one in service.requests[:2]] == [
        {"limit": "100", "status": "queued", "q": "trio 7", "since": "2026-03-01"},
        {"limit": "100", "status": "queued", "q": "trio 7", "since": "2026-03-01", "cursor": "4"},
    ]


def test_waiting_looks_ever_more_rarely_until_the_job_is_done(
    client: Client, service: Service, waits: list[float]
) -> None:
    service.jobs[7] = job_document(7)
    running = [job_document(7, status="running", stage="annotate", percent=at) for at in (10, 90)]
    done = job_document(7, status="completed", variants=3)
    job = client.job(7)
    answers = [httpx.Response(200, json=told) for told in (*running, done)]
    service.fail("GET", "/jobs/7$", *answers)
    told: list[str] = []
    assert job.wait(told=lambda facts: told.append(f"{facts.status} {facts.percent}")) is job
    assert told == ["running 10", "running 90", "completed None"]
    assert waits == [1.0, 1.3, pytest.approx(1.69)]
    assert (job.status, job.facts.variants) == (Status.COMPLETED, 3)


@pytest.mark.parametrize("status", ["archiving", "archived"])
def test_a_job_that_moved_to_the_archive_is_done(
    client: Client, service: Service, status: str
) -> None:
    service.jobs[7] = job_document(7, status=status)
    assert client.job(7).wait().status == status


def test_a_job_that_fails_says_why(client: Client, service: Service) -> None:
    service.jobs[7] = job_document(7, status="failed", failure="Line 3 has no ALT.")
    with pytest.raises(JobFailed, match=r"^Line 3 has no ALT\.$"):
        client.job(7).wait()


def test_waiting_outlives_minutes_without_the_service_but_not_its_time(
    client: Client, service: Service
) -> None:
    service.jobs[7] = job_document(7)
    job = client.job(7)
    service.fail("GET", "/jobs/7$", *[httpx.ConnectError("refused")] * 11)
    with pytest.raises(TookTooLong, match="still queued"):
        job.wait(timeout=0.5)
    service.jobs[7]["status"] = "completed"
    assert job.wait().status == "completed"


def test_filters_are_written_as_addresses_hold_them() -> None:
    assert query_of("gene=PDIA2&impact=HIGH&impact=LOW") == {
        "gene": ["PDIA2"],
        "impact": ["HIGH", "LOW"],
    }
    assert query_of({"gene": "PDIA2", "af_max": 0.01, "impact": ["HIGH", "LOW"]}) == {
        "gene": ["PDIA2"],
        "af_max": ["0.01"],
        "impact": ["HIGH", "LOW"],
    }
    assert joined(["region=chr16:283,000-290,000", "impact=HIGH", "impact=LOW"]) == {
        "region": ["chr16:283,000-290,000"],
        "impact": ["HIGH", "LOW"],
    }
    assert query_of(None) == query_of({}) == {}
    with pytest.raises(Misused, match="like gene=PDIA2"):
        query_of("PDIA2")
