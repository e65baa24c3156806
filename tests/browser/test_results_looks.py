"""The pages of results: nothing for axe-core to find, no sideways scrolling, and a picture."""

import json
from typing import Any

import pytest

from gas.models import ResultFile, Status, User
from tests.browser.conftest import Window
from tests.browser.test_looks import look_at
from tests.stage import OUTPUTS, Shelf, job_in
from tests.tables import parquet, sample

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans")]

COUNTS: dict[str, Any] = {
    **json.loads(OUTPUTS[ResultFile.Kind.SUMMARY]),
    "consequences_all": {
        "stop_gained": 31,
        "frameshift_variant": 12,
        "missense_variant": 220,
        "synonymous_variant": 140,
        "5_prime_UTR_variant": 9,
        "intron_variant": 900,
        "non_coding_transcript_variant": 40,
    },
    "contigs": {"chr16": 1200, "chr2": 800, "chrM": 12},
    "clinvar": {"Benign": 4, "Pathogenic/Likely_pathogenic": 2, "Pathogenic|risk_factor": 1},
    "filters": {"PASS": 1700, "q10;s50": 200, "q10": 100, ".": 12},
    "reference": 0,
    "records_out": 3,
}
TABLE = {
    **OUTPUTS,
    ResultFile.Kind.PARQUET: parquet(sample()),
    ResultFile.Kind.SUMMARY: json.dumps(COUNTS).encode(),
}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("charts", "results/"),
        (
            "filtered",
            "variants/?gene=PDIA2+AXIN1&impact=HIGH&2-clinvar=Benign&sort=-allele_frequency",
        ),
        ("nothing", "variants/?gene=NONE"),
        ("transcripts", "variants/3/"),
    ],
)
def test_the_pages_of_results(
    window: Window, owner: User, shelf: Shelf, name: str, path: str
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, outputs=TABLE)
    look_at(window.sign_in(owner).open(f"/jobs/{job.pk}/{path}"), f"results-{name}")


@pytest.mark.parametrize(
    ("name", "status", "query", "code"),
    [("garbage", Status.COMPLETED, "?af_max=often", 400), ("archived", Status.ARCHIVED, "", 409)],
)
def test_a_table_that_cannot_be_shown(
    window: Window, owner: User, shelf: Shelf, name: str, status: Status, query: str, code: int
) -> None:
    job = job_in(status, owner=owner, shelf=shelf, outputs=TABLE)
    page = window.sign_in(owner).open(f"/jobs/{job.pk}/variants/{query}", status=code)
    look_at(page, f"results-{name}")
