"""The wanted variants as files: whole, harmless, and a few at a time."""

import gzip
from io import BytesIO

import pyarrow.parquet as pq
import pytest
from django.test import Client

from gas.models import Job, User
from gas.results.conditions import Genes
from gas.results.errors import Busy
from gas.results.filters import Filter
from gas.services import results
from gas.storage.errors import ObjectMissing
from gas.storage.locations import results as place_of
from tests.stage import Shelf
from tests.tables import PLACE, sample, tsv
from tests.unit.views.variants import a_job, page_of

pytestmark = pytest.mark.django_db

PDIA2 = Filter(((Genes(("PDIA2",)),),))


@pytest.fixture
def job(owner: User, shelf: Shelf) -> Job:
    return a_job(owner, shelf)


def file_of(client: Client, job: Job, kind: str, query: str) -> bytes:
    answer = client.get(f"/jobs/{job.pk}/variants/{kind}/{query}")
    assert answer.status_code == 200
    assert answer.streaming
    return b"".join(answer)


def test_a_filtered_tsv_holds_the_lines_of_the_full_one(researcher: Client, job: Job) -> None:
    text = gzip.decompress(file_of(researcher, job, "tsv", "?gene=PDIA2&2-region=chrM")).decode()
    header, *lines = tsv(sample())
    rows = zip(sample(), lines, strict=True)
    wanted = [line for row, line in rows if row["gene"] == "PDIA2" or row["contig"] == "chrM"]
    assert text.splitlines() == [header, *wanted]


def test_a_filtered_vcf_and_parquet_are_whole_files(researcher: Client, job: Job) -> None:
    rows = [row for row in sample() if row["impact"] == "HIGH"]
    text = gzip.decompress(file_of(researcher, job, "vcf", "?impact=HIGH")).decode()
    assert "\n##GAS_filter=impact is HIGH\n#CHROM\t" in text
    places = {tuple(map(str, map(row.get, PLACE))) for row in rows}
    records = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    assert {(cells[0], cells[1], cells[3], cells[4]) for cells in records} == places
    content = file_of(researcher, job, "parquet", "?impact=HIGH")
    assert pq.read_table(BytesIO(content)).to_pylist() == rows


@pytest.mark.parametrize("kind", ["vcf", "tsv", "parquet"])
def test_without_a_filter_the_full_file_is_given(researcher: Client, job: Job, kind: str) -> None:
    answer = researcher.get(f"/jobs/{job.pk}/variants/{kind}/?sort=gene")
    assert answer["Location"] == f"/jobs/{job.pk}/files/{kind}/"
    assert researcher.get(f"/jobs/{job.pk}/variants/exe/?gene=A").status_code == 404


def test_a_filtered_file_of_a_hostile_name_is_saved_under_a_harmless_one(
    researcher: Client, job: Job
) -> None:
    Job.objects.filter(pk=job.pk).update(name='a"; x=\r\nSet-Cookie: a=b/../c')
    answer = researcher.get(f"/jobs/{job.pk}/variants/tsv/?gene=PDIA2")
    b"".join(answer)
    said = answer["Content-Disposition"]
    assert "\r" not in said
    assert "/" not in said
    assert said.endswith('.filtered.tsv.gz"')


def test_a_process_makes_only_a_few_files_at_once(researcher: Client, job: Job) -> None:
    def begin() -> results.Export:
        return results.export(job=job, wanted=PDIA2, kind=results.Format.TSV)

    begun = [begin() for _ in range(results.EXPORTS)]
    assert researcher.get(f"/jobs/{job.pk}/variants/tsv/?gene=PDIA2").status_code == 503
    begun[0].close()
    begun[0].close()
    begun[0] = begin()
    with pytest.raises(Busy):
        begin()
    for one in begun:
        one.close()
    for _ in range(results.EXPORTS + 1):
        file_of(researcher, job, "tsv", "?gene=PDIA2")


def test_a_file_that_is_forgotten_takes_nobody_the_turn(job: Job) -> None:
    for _ in range(results.EXPORTS + 1):
        results.export(job=job, wanted=PDIA2, kind=results.Format.TSV)


def test_asking_for_the_head_of_a_file_leaves_nothing_behind(researcher: Client, job: Job) -> None:
    path = f"/jobs/{job.pk}/variants/tsv/?gene=PDIA2"
    for _ in range(results.EXPORTS + 1):
        assert researcher.head(path).status_code == 200


def test_what_is_missing_in_the_store_is_told_apart(
    researcher: Client, job: Job, shelf: Shelf
) -> None:
    file = job.files.get(kind="vcf")
    del shelf.held[place_of(file.key)]
    with pytest.raises(ObjectMissing):
        file_of(researcher, job, "vcf", "?gene=PDIA2")
    assert "variants match" in page_of(researcher, job, "?gene=PDIA2")
