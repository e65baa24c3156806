"""Variants as Arrow record batches: only what is needed is fetched."""

import io
import re
import sys
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gas_client import Client, Misused, Refused, Unavailable, arrow
from gas_client.job import Job
from tests.unit.client.service import Pieces, Service, job_document, ranged

TABLE = pa.table(
    {
        "contig": ["chr16"] * 6,
        "position": [1, 2, 3, 4, 5, 6],
        "genotypes": [bytes([65 + n]).decode() * 200_000 + str(n) for n in range(6)],
        "gene": ["PDIA2", "AXIN1"] * 3,
    }
)


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(table, sink, row_group_size=2, **plain)
    return sink.getvalue()


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "GAP", 100)


@pytest.fixture
def job(client: Client, service: Service) -> Job:
    service.jobs[7] = job_document(7, status="completed")
    service.files["parquet"] = parquet(TABLE)
    return client.job(7)


def fetched(service: Service) -> int:
    asked = [one.headers["Range"] for one in service.asked("GET", "storage.example.org")]
    places = [re.findall(r"\d+", one) for one in asked]
    return sum(int(end) + 1 - int(start) for start, end in places)


def test_all_rows_come_as_batches(job: Job) -> None:
    batches = [*job.variants()]
    assert pa.Table.from_batches(batches) == TABLE
    assert len(batches) == 3


def test_of_some_columns_only_these_are_fetched(job: Job, service: Service) -> None:
    found = pa.Table.from_batches(job.variants(columns=["position", "gene"]))
    assert found == TABLE.select(["position", "gene"])
    assert fetched(service) < len(service.files["parquet"]) / 4
    assert not any(
        "Authorization" in one.headers for one in service.asked("GET", "storage.example.org")
    )


def test_a_row_group_is_fetched_when_it_is_read_and_not_before(job: Job, service: Service) -> None:
    batches = job.variants()
    next(batches)
    assert fetched(service) < len(service.files["parquet"]) / 2
    assert len([*batches]) == 2


def test_a_filter_is_answered_by_the_service(job: Job, service: Service) -> None:
    (batch,) = job.variants(filter={"gene": "PDIA2", "af_max": 0.01}, columns=["position"])
    assert batch.column("position").to_pylist() == [1, 2, 3, 4, 5, 6]
    assert str(service.asked("GET", "/export/parquet")[0].url.params) == "gene=PDIA2&af_max=0.01"
    with pytest.raises(Misused):
        next(job.variants("PDIA2"))


def test_without_pyarrow_one_is_told_what_is_missing(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gas_client.arrow", None)
    with pytest.raises(Misused, match="need pyarrow"):
        job.variants()


def test_a_link_that_is_over_and_a_break_do_no_harm(job: Job, service: Service) -> None:
    content = service.files["parquet"]

    def half(request: httpx.Request) -> httpx.Response:
        whole = ranged(request, content, service.etag)
        return httpx.Response(206, stream=Pieces(b"x" * 10, breaks=True), headers=whole.headers)

    def short(request: httpx.Request) -> httpx.Response:
        return httpx.Response(206, stream=Pieces(b"x"), headers={"ETag": service.etag})

    over = httpx.Response(403, text="<Error><Code>AccessDenied</Code></Error>")
    service.fail("GET", "storage.example.org", over, half, short)
    assert pa.Table.from_batches(job.variants()) == TABLE


def test_a_table_that_is_replaced_while_it_is_read_is_not_mixed(job: Job, service: Service) -> None:
    batches = job.variants()
    next(batches)
    service.etag = '"two"'
    with pytest.raises(Refused, match="were replaced"):
        next(batches)


def test_a_filtered_table_that_breaks_off_is_told(job: Job, service: Service, home: Path) -> None:
    broken = httpx.Response(200, stream=Pieces(service.files["parquet"][:500], breaks=True))
    service.fail("GET", "/export/parquet", broken)
    with pytest.raises(Unavailable, match="cannot be reached"):
        next(job.variants("gene=PDIA2"))
