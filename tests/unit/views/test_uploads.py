"""From a file to a job."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from gas.models import Job, Plan, Status, Upload, User
from gas.services import uploads
from gas.storage import objects
from gas.storage.locations import Location
from tests.stage import Shelf, job_in

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shelf")]

VCF = b"##fileformat=VCFv4.2\n#CHROM\tPOS\n"


@pytest.fixture
def upload(owner: User) -> Upload:
    """An upload whose bytes have not come."""
    return uploads.begin(owner=owner, filename="trio7.vcf").upload


def submit(researcher: Client, upload: Upload, **fields: str) -> "Answer":
    return researcher.post(f"/uploads/{upload.pk}/submit/", fields)


def test_without_a_script_a_page_has_the_form_for_storage(researcher: Client) -> None:
    answer = researcher.post("/uploads/", {"filename": "trio7.vcf"})
    made = Upload.objects.get()
    assert answer["Location"] == f"/uploads/{made.pk}/"
    page = researcher.get(answer["Location"]).content.decode()
    assert f'value="{made.key}"' in page
    assert f'value="http://testserver/uploads/{made.pk}/"' in page


def test_a_file_with_a_job_is_not_discarded(
    researcher: Client, upload: Upload, shelf: Shelf
) -> None:
    shelf.take_in(upload, VCF)
    submit(researcher, upload)
    for headers in ({}, {"Accept": "application/json"}):
        answer = researcher.post(f"/uploads/{upload.pk}/cancel/", headers=headers)
        assert answer.status_code == 422
        assert "was submitted" in answer.content.decode()
    assert Upload.objects.count() == 1


def test_the_name_of_a_file_is_shown_and_never_part_of_its_key(researcher: Client) -> None:
    researcher.post("/uploads/", {"filename": "../../etc/pass\u202ewd.vcf"})
    made = Upload.objects.get()
    assert made.filename == "passwd.vcf"
    assert made.key == f"inputs/{made.owner_id}/{made.pk}/input.vcf"


def test_a_file_without_a_name_gets_one(researcher: Client) -> None:
    for filename in ("", 5000 * "x"):
        assert researcher.post("/uploads/", {"filename": filename}).status_code == 302
    assert set(Upload.objects.values_list("filename", flat=True)) == {"input.vcf"}


def test_looking_at_the_new_job_page_makes_no_upload(researcher: Client) -> None:
    page = researcher.get("/jobs/new/").content.decode()
    assert "up to 50\xa0MB" in page
    assert Upload.objects.count() == 0


def test_what_the_redirect_of_storage_says_is_not_believed(
    researcher: Client, upload: Upload
) -> None:
    claims = {"bucket": "gas-inputs", "key": upload.key, "etag": '"e"'}
    page = researcher.get(f"/uploads/{upload.pk}/", claims).content.decode()
    assert "has arrived" not in page


def test_bytes_that_arrived_can_be_annotated(
    researcher: Client, upload: Upload, shelf: Shelf
) -> None:
    shelf.take_in(upload, VCF)
    page = researcher.get(f"/uploads/{upload.pk}/").content.decode()
    assert "has arrived" in page
    assert Job.objects.count() == 0


def test_submitting_queues_one_job_however_often(
    researcher: Client,
    upload: Upload,
    shelf: Shelf,
) -> None:
    shelf.take_in(upload, VCF)
    first = submit(researcher, upload, name="My trio")
    again = submit(researcher, upload, name="My trio, clicked twice")
    job = Job.objects.get()
    assert first["Location"] == again["Location"] == f"/jobs/{job.pk}/"
    assert (job.name, job.status) == ("My trio", Status.QUEUED)
    page = researcher.get(f"/uploads/{upload.pk}/").content.decode()
    assert f'href="/jobs/{job.pk}/"' in page


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b'{"htsget": {"urls": []}}', "The file is JSON, not a VCF."),
        (b"<html>", "The file is a web page or XML, not a VCF."),
        (b"\x1f\x8b\x08\x00", "The file is compressed, but holds nothing."),
    ],
)
def test_a_refused_file_says_why_and_makes_no_job(
    researcher: Client, upload: Upload, shelf: Shelf, content: bytes, sentence: str
) -> None:
    shelf.take_in(upload, content)
    answer = submit(researcher, upload)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Job.objects.count() == 0
    page = researcher.get(f"/uploads/{upload.pk}/")
    assert page.status_code == 200
    assert sentence in page.content.decode()


def test_a_file_over_the_limit_says_how_large_it_may_be(
    researcher: Client, upload: Upload, shelf: Shelf
) -> None:
    Plan.objects.filter(pk=Plan.FREE).update(max_upload_bytes=20)
    shelf.take_in(upload, VCF)
    answer = submit(researcher, upload)
    assert answer.status_code == 422
    assert f"The file has {len(VCF)} bytes; your plan takes 20." in answer.content.decode()


def test_submitting_before_the_bytes_came_says_so(researcher: Client, upload: Upload) -> None:
    answer = submit(researcher, upload)
    assert answer.status_code == 422
    assert "has not arrived yet" in answer.content.decode()


def test_a_name_that_is_too_long_is_said(researcher: Client, upload: Upload, shelf: Shelf) -> None:
    shelf.take_in(upload, VCF)
    answer = submit(researcher, upload, name=201 * "x")
    assert answer.status_code == 422
    assert "A name takes 200 characters" in answer.content.decode()
    assert Job.objects.count() == 0


@pytest.fixture
def full(owner: User, shelf: Shelf) -> None:
    """The owner's plan allows no more jobs just now."""
    Plan.objects.filter(pk=Plan.FREE).update(max_active_jobs=1)
    job_in(Status.QUEUED, owner=owner, shelf=shelf)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> None:
    """The example goes to the shelf."""

    def publish(path: Path, to: Location) -> None:
        shelf.held[to] = path.read_bytes()

    monkeypatch.setattr(objects, "publish", publish)


@pytest.mark.usefixtures("full")
def test_more_jobs_than_the_plan_allows_are_refused_but_the_file_is_kept(
    researcher: Client, upload: Upload, shelf: Shelf
) -> None:
    shelf.take_in(upload, VCF)
    answer = submit(researcher, upload)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "which is what your plan allows" in page
    assert "Annotate this file" in page


@pytest.mark.usefixtures("full", "example")
def test_the_example_counts_like_any_job(researcher: Client) -> None:
    answer = researcher.post("/jobs/example/")
    assert answer.status_code == 422
    assert "which is what your plan allows" in answer.content.decode()


@pytest.mark.usefixtures("example")
def test_the_example_is_a_job_like_any_other(researcher: Client) -> None:
    answer = researcher.post("/jobs/example/")
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert job.name == "Example"


def test_limits_are_read_from_the_plan(researcher: Client) -> None:
    Plan.objects.filter(pk=Plan.FREE).update(max_upload_bytes=7 * 1024**2, max_active_jobs=3)
    page = researcher.get("/jobs/new/").content.decode()
    assert "up to 7\xa0MB" in page
    assert 'data-most="7340032"' in page
    assert "of 3 jobs waiting or running" in page
