"""The look of the pages from a file to a job."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from gas.models import Upload, User
from gas.services import uploads
from tests.browser.conftest import Window
from tests.browser.test_looks import a_file, look_at
from tests.browser.transfers import BUCKET, GRCH37, GRCH38, VCF, choose
from tests.references import two_references
from tests.stage import Shelf

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans", "shelf")]


def test_the_ways_to_start_a_job(window: Window, owner: User) -> None:
    page = window.sign_in(owner).open("/jobs/new/")
    choose(page, ("trio7.vcf", VCF))
    expect(page.get_by_role("button", name="Upload and annotate")).to_be_focused()
    look_at(page, "new-job-chosen")


def test_several_files_and_references_and_what_broke_off(
    window: Window, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cohort-a.vcf.gz", 40 * "long-name-" + ".vcf"):
        uploads.begin_parts(owner=owner, filename=name, size=48_211_001, first_bytes="5" * 64)
    with two_references(tmp_path, monkeypatch):
        page = window.sign_in(owner).open("/jobs/new/")
        choose(page, ("a.vcf", GRCH38), ("page.vcf", b"<html>"), ("b.vcf", GRCH37))
        page.get_by_text("Or paste a VCF").click()
        expect(page.get_by_role("alert")).to_have_count(1)
        look_at(page, "new-job-several")


def test_an_upload_on_its_way(window: Window, owner: User) -> None:
    page = window.sign_in(owner).open("/jobs/new/")
    page.route(f"{BUCKET}**", lambda route: None)  # S3 never answers
    page.set_input_files("#file", files=[a_file("trio7.vcf", VCF)])
    with page.expect_request(f"{BUCKET}**"):
        page.get_by_role("button", name="Upload and annotate").click()
    look_at(page, "new-job-sending")


@pytest.mark.parametrize("state", ["waiting", "arrived", "refused", "broken-off"])
def test_an_upload(window: Window, owner: User, shelf: Shelf, state: str) -> None:
    upload = uploads.begin(owner=owner, filename="trio7.vcf.gz").upload
    if state == "arrived":
        shelf.take_in(upload, b"##fileformat=VCFv4.2\n")
    if state == "refused":
        upload.refuse("The file is JSON, not a VCF.")
    if state == "broken-off":
        Upload.objects.update(parts_id="parts-0", announced=9, part_bytes=5)
    look_at(window.sign_in(owner).open(f"/uploads/{upload.pk}/"), f"upload-{state}")
    assert Upload.objects.count() == 1
