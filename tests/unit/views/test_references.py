"""A server with two references: the usual one, and one of another assembly beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from gas.models import Job, Upload, User
from gas.services import uploads
from tests.references import two_references
from tests.stage import Shelf
from tests.unit.views.test_uploads import VCF, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shelf")]

HEADER = b"##fileformat=VCFv4.2\n##contig=<ID=1,length=%d>\n#CHROM\tPOS\n"
GRCH37, GRCH38 = HEADER % 249250621, HEADER % 248956422


@pytest.fixture
def upload(owner: User) -> Upload:
    """An upload whose bytes have not come."""
    return uploads.begin(owner=owner, filename="trio7.vcf").upload


@pytest.fixture(autouse=True)
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with two_references(tmp_path, monkeypatch):
        yield


def test_both_are_offered_with_the_releases_of_their_sources(researcher: Client) -> None:
    page = researcher.get("/jobs/new/").content.decode()
    assert 'value="usual" data-assembly="GRCh38"' in page
    assert 'value="older" data-assembly="GRCh37"' in page
    assert page.count("ClinVar 2026-01-05") == 2
    assert "broken" not in page


@pytest.mark.parametrize(
    ("content", "asked", "got"),
    [
        (VCF, "", "usual"),
        (VCF, "older", "older"),
        (GRCH37, "", "older"),
        (GRCH37, "older", "older"),
        (GRCH38, "", "usual"),
    ],
)
def test_a_job_takes_what_was_chosen_or_fits(
    researcher: Client,
    upload: Upload,
    shelf: Shelf,
    content: bytes,
    asked: str,
    got: str,
) -> None:
    shelf.take_in(upload, content)
    submit(researcher, upload, bundle=asked, notes="For the second cohort.")
    job = Job.objects.get()
    assert (job.bundle, job.notes) == (got, "For the second cohort.")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("usual", "looks like GRCh37 by its contig lengths; the chosen reference is GRCh38"),
        ("broken", "no such reference"),
        ("../usual", "no such reference"),
    ],
)
def test_a_reference_that_does_not_fit_can_be_chosen_anew(
    researcher: Client, upload: Upload, shelf: Shelf, asked: str, sentence: str
) -> None:
    shelf.take_in(upload, GRCH37)
    answer = submit(researcher, upload, bundle=asked)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Job.objects.count() == 0
    assert submit(researcher, upload, bundle="older").status_code == 302


def test_an_assembly_that_none_has_is_refused_for_good(
    researcher: Client, upload: Upload, shelf: Shelf
) -> None:
    shelf.take_in(upload, HEADER % 248387328)
    answer = submit(researcher, upload)
    said = "looks like T2T-CHM13 by its contig lengths; this server annotates GRCh37 and GRCh38"
    assert said in answer.content.decode()
    upload.refresh_from_db()
    assert upload.status == Upload.Status.REFUSED
