"""What a finished job's page tells of its counts, also of those an older release wrote."""

import json
from typing import Any

import pytest
from django.test import Client

from gas.models import Job, ResultFile, Status, User
from gas.views import findings
from tests.stage import OUTPUTS, Shelf, job_in

pytestmark = pytest.mark.django_db

SINCE = {"classes", "ti", "tv", "known", "novel", "clinvar", "filters"}  # not counted at first


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


def test_only_the_first_of_many_rows_are_shown(owner: User, shelf: Shelf) -> None:
    many = {f"f{number}": 1 for number in range(100)}
    found = findings.of(job_with(owner, shelf, {**counts(), "filters": many, "clinvar": many}))
    assert found is not None
    assert len(found.filters) == len(found.clinvar) == findings.MOST
