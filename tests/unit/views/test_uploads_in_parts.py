"""What the page's script asks of the site while it sends a file part by part."""

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from gas.models import Job, Plan, Status, Upload, User
from tests.stage import Shelf, job_in
from tests.unit.views.test_uploads import VCF

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shelf")]

SCRIPT = {"Accept": "application/json"}
DIGEST = "5" * 64


def begin(researcher: Client, filename: str = "trio7.vcf", **changes: str) -> "Answer":
    """Ask for an upload the way the page's script does."""
    file = {"filename": filename, "size": str(len(VCF)), "first_bytes": DIGEST}
    return researcher.post("/uploads/", file | changes, headers=SCRIPT)


def told(answer: "Answer") -> dict[str, Any]:
    """What a script reads in an answer."""
    read: dict[str, Any] = json.loads(answer.content)
    return read


def test_a_script_is_told_what_to_send_and_where(researcher: Client) -> None:
    answer = begin(researcher)
    made = Upload.objects.get()
    assert answer.status_code == 201
    assert told(answer) == {
        "partBytes": settings.PART_BYTES,
        "arrived": {},
        "parts": f"/uploads/{made.pk}/parts/",
        "submit": f"/uploads/{made.pk}/submit/",
        "cancel": f"/uploads/{made.pk}/cancel/",
    }
    assert (made.announced, made.parts_id) == (len(VCF), "parts-0")


def test_a_script_that_asks_again_is_told_what_has_arrived(
    researcher: Client, shelf: Shelf
) -> None:
    first = begin(researcher)
    shelf.coming["parts-0"][1] = VCF
    again = told(begin(researcher))
    assert again == {**told(first), "arrived": {"1": hashlib.sha256(VCF).hexdigest()}}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": "0"}, "The file is empty."),
        ({"size": str(50 * 1024**2 + 1)}, "your plan takes"),
        ({"size": "-1"}, "is missing or too long"),
        ({"size": str(2**63)}, "is missing or too long"),
        ({"first_bytes": "x"}, "is missing or too long"),
        ({"first_bytes": DIGEST + "\n5"}, "is missing or too long"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_it_is_sent(
    researcher: Client, shelf: Shelf, changes: dict[str, str], sentence: str
) -> None:
    answer = begin(researcher, **changes)
    assert answer.status_code == 422
    assert sentence in told(answer)["problem"]
    assert (Upload.objects.count(), shelf.coming) == (0, {})


def test_the_link_of_a_part_signs_its_number_its_bytes_and_their_checksum(
    researcher: Client,
) -> None:
    link = told(researcher.post(told(begin(researcher))["parts"], {"number": 1, "sha256": DIGEST}))
    address = urlsplit(link["url"])
    signed = parse_qs(address.query)
    assert address.path == f"/{Upload.objects.get().key}"
    assert (signed["partNumber"], signed["uploadId"]) == (["1"], ["parts-0"])
    assert signed["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]
    assert signed["X-Amz-Expires"] == ["900"]
    checksum = base64.b64encode(bytes.fromhex(DIGEST)).decode()
    assert link["headers"] == {"x-amz-checksum-sha256": checksum}


@pytest.mark.parametrize(
    "part",
    [
        {"number": "0", "sha256": DIGEST},
        {"number": "2", "sha256": DIGEST},
        {"number": "1", "sha256": DIGEST.upper() + "G"},
        {"number": "x", "sha256": DIGEST},
        {"sha256": DIGEST},
        {},
    ],
)
def test_no_other_part_is_signed(researcher: Client, part: dict[str, str]) -> None:
    answer = researcher.post(told(begin(researcher))["parts"], part)
    assert answer.status_code == 422
    assert "url" not in told(answer)


def test_a_script_that_submits_too_early_is_told_so_and_may_go_on(
    researcher: Client, shelf: Shelf
) -> None:
    ticket = told(begin(researcher))
    forged = {"parts": "[1]", "size": "1", "etag": "x", "key": "inputs/1/x", "name": "Mine"}
    early = researcher.post(ticket["submit"], forged, headers=SCRIPT)
    assert (early.status_code, Job.objects.count()) == (422, 0)
    assert "1 of 1 parts of the file have not arrived" in told(early)["problem"]
    shelf.coming["parts-0"][1] = VCF
    done = [researcher.post(ticket["submit"], forged, headers=SCRIPT) for _ in range(2)]
    job = Job.objects.get()
    assert [(a.status_code, told(a)) for a in done] == 2 * [(201, {"job": f"/jobs/{job.pk}/"})]


def test_an_upload_that_broke_off_is_offered_and_can_be_discarded(
    researcher: Client, shelf: Shelf
) -> None:
    begin(researcher, "half.vcf")
    made = Upload.objects.get()
    page = researcher.get("/jobs/new/").content.decode()
    assert "half.vcf" in page
    assert "goes on where it broke off" in researcher.get(f"/uploads/{made.pk}/").content.decode()
    answer = researcher.post(f"/uploads/{made.pk}/cancel/")
    assert answer["Location"] == "/jobs/new/"
    assert (Upload.objects.count(), shelf.coming) == (0, {})


def test_that_the_plan_is_full_is_said_before_a_file_is_chosen(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    Plan.objects.filter(pk=Plan.FREE).update(max_active_jobs=1)
    job_in(Status.QUEUED, owner=owner, shelf=shelf)
    assert "which is what your plan allows" in researcher.get("/jobs/new/").content.decode()
    answer = begin(researcher)
    assert answer.status_code == 422
    assert "which is what your plan allows" in told(answer)["problem"]


def test_the_page_for_a_new_job_asks_few_questions(
    researcher: Client, owner: User, shelf: Shelf, django_assert_max_num_queries: Any
) -> None:
    for status in (Status.COMPLETED, Status.RUNNING, Status.QUEUED):
        job_in(status, owner=owner, shelf=shelf)
    begin(researcher)
    begin(researcher, "another.vcf")
    with django_assert_max_num_queries(4):
        page = researcher.get("/jobs/new/").content.decode()
    assert "<strong>2</strong> of 10 jobs waiting or running" in page
    assert "another.vcf" in page
