"""What a finished job's page tells of its counts, also of those an older release wrote."""

import json
import shlex
import subprocess
import sys
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from gas.models import Job, ResultFile, Status, User
from gas.services.jobs import EXAMPLE
from gas.views import findings
from tests.stage import OUTPUTS, Shelf, job_in

pytestmark = pytest.mark.django_db

SINCE = {"classes", "ti", "tv", "known", "novel", "clinvar", "filters"}  # not counted at first


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the annotator makes of the example."""
    folder = tmp_path_factory.mktemp("outputs")
    command = ["annotator", "run", str(EXAMPLE), str(folder), "--bundle", str(settings.BUNDLE)]
    subprocess.run([sys.executable, "-m", *command], cwd=settings.ROOT, check=True)
    return {kind: (folder / name).read_bytes() for kind, name in ResultFile.NAMES.items()}


def counts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(OUTPUTS[ResultFile.Kind.SUMMARY])
    return found


def job_with(owner: User, shelf: Shelf, told: dict[str, Any]) -> Job:
    outputs = {**OUTPUTS, ResultFile.Kind.SUMMARY: json.dumps(told).encode()}
    return job_in(Status.COMPLETED, owner=owner, shelf=shelf, outputs=outputs)


def page_of(researcher: Client, job: Job) -> str:
    return researcher.get(f"/jobs/{job.pk}/").content.decode()


def test_the_page_tells_what_was_counted(researcher: Client, owner: User, shelf: Shelf) -> None:
    page = page_of(researcher, job_with(owner, shelf, counts()))
    for said in (
        "Known variants</dt><dd>1<",
        "Ti/Tv</abbr></dt><dd>2.00<",
        "Likely benign",
        "Single bases",
        "q10;s50",
    ):
        assert said in page


def test_a_summary_of_an_older_release_is_shown_without_what_it_lacks(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    older = {key: value for key, value in counts().items() if key not in SINCE}
    page = page_of(researcher, job_with(owner, shelf, older))
    assert "Genes with most alleles" in page
    for said in ("Known variants", "Ti/Tv", "ClinVar", "Class of change", "FILTER"):
        assert said not in page


def test_a_file_without_transversions_has_no_ratio(owner: User, shelf: Shelf) -> None:
    found = findings.of(job_with(owner, shelf, {**counts(), "tv": 0}))
    assert found is not None
    assert found.ti_tv is None


def test_what_a_file_says_in_filter_is_never_markup(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    hostile = {**counts(), "filters": {"<script>alert(1)</script>": 3}}
    page = page_of(researcher, job_with(owner, shelf, hostile))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_only_the_first_of_many_rows_are_shown_and_all_are_added_up(
    owner: User, shelf: Shelf
) -> None:
    many = {f"f{number}": 2 for number in range(100)}
    found = findings.of(job_with(owner, shelf, {**counts(), "filters": many, "clinvar": many}))
    assert found is not None
    for key in ("filters", "clinvar"):
        (chart,) = [chart for chart in found.charts if chart.key == key]
        assert (len(chart.rows), chart.more) == (findings.MOST, 100 - findings.MOST)
        assert chart.total == 200


def test_the_page_of_charts_has_a_table_and_a_drawing_for_everything_counted(
    researcher: Client, owner: User, shelf: Shelf, outputs: dict[str, bytes]
) -> None:
    told = json.loads(outputs[ResultFile.Kind.SUMMARY])
    told |= {"known": 100, "novel": 33, "clinvar": {"Benign": 4}}
    job = job_with(owner, shelf, told)
    page = researcher.get(f"/jobs/{job.pk}/results/").content.decode()
    for key in ("impacts", "consequences", "consequences_all", "genes", "clinvar", "known"):
        assert f'id="chart-{key}"' in page
    for key in ("classes", "titv", "contigs", "filters", "skipped"):
        assert f'id="chart-{key}"' in page
    assert page.count("<svg width") == page.count('<td class="bar"')
    assert "133 annotated + 1 left unannotated" in page


def test_the_charts_of_a_real_summary_add_up(outputs: dict[str, bytes]) -> None:
    told = json.loads(outputs[ResultFile.Kind.SUMMARY])
    found = findings.counted(told)
    total = {chart.key: chart.total for chart in found.charts}
    assert total["impacts"] == total["consequences"] == found.annotated
    assert found.annotated + total["skipped"] == found.alleles == total["classes"]
    assert total["contigs"] == total["filters"] == found.rows
    assert total["titv"] == told["classes"]["snv"]
    assert all(sum(row.count for row in chart.rows) == chart.total for chart in found.charts)


def test_a_ready_command_fetches_each_whole_file(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, name="a' ; rm -rf ~ #")
    page = unescape(researcher.get(f"/jobs/{job.pk}/results/").content.decode())
    for name in ("annotated.vcf.gz", "annotated.tsv.gz", "annotated.parquet"):
        command = page.partition(f"--output job-{job.pk}.{name} ")[2].partition("</code>")[0]
        (address,) = shlex.split(command)
        assert "X-Amz-Expires=300" in address
    archived = job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    assert "curl" not in researcher.get(f"/jobs/{archived.pk}/results/").content.decode()


def test_a_job_without_results_has_no_charts(researcher: Client, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    answer = researcher.get(f"/jobs/{job.pk}/results/")
    assert answer.status_code == 409
    assert "no results yet" in answer.content.decode()
