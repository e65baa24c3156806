"""What the scripts of the page for a new job do with files before they are sent."""

import gzip
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotator.bgzf import BgzfWriter
from gas.models import Job, Plan, Upload, User
from tests.browser.conftest import Window
from tests.browser.transfers import GRCH37, GRCH38, PART, VCF, choose, start, storage
from tests.browser.transfers import new_job as new_job
from tests.browser.transfers import usual as usual
from tests.references import two_references
from tests.stage import Shelf

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans", "usual")]


def test_a_chosen_file_is_sent_and_submitted_with_what_was_said_of_it(
    new_job: Page, shelf: Shelf
) -> None:
    storage(new_job, shelf)
    choose(new_job, ("trio7.vcf", VCF))
    new_job.get_by_label("Name of the job").fill("My trio")
    new_job.get_by_label("Notes").fill("Second run.")
    start(new_job)
    expect(new_job.get_by_role("heading", name="My trio")).to_be_visible()
    job = Job.objects.get()
    assert (job.name, job.notes, job.upload.filename) == ("My trio", "Second run.", "trio7.vcf")


DROP = """(place, [name, text]) => {
  const dropped = new DataTransfer();
  dropped.items.add(new File([text], name));
  place.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true }));
}"""


def test_a_file_with_a_long_name_that_was_dropped_makes_a_job_all_the_same(
    new_job: Page, shelf: Shelf
) -> None:
    storage(new_job, shelf)
    new_job.locator(".drop").evaluate(DROP, [230 * "x" + ".vcf", VCF.decode()])
    expect(new_job.get_by_role("button", name="Upload and annotate")).to_be_focused()
    start(new_job)
    expect(new_job.get_by_role("heading", name=200 * "x")).to_be_visible()
    assert Job.objects.get().name == 200 * "x"


def in_blocks(folder: Path, *texts: bytes) -> bytes:
    """BGZF with a block for each text."""
    with BgzfWriter(folder / "packed", level=1) as packed:
        for text in texts:
            packed.write(text)
            packed.flush()
    return (folder / "packed").read_bytes()


def test_what_a_file_is_said_to_be_before_it_is_sent(new_job: Page, tmp_path: Path) -> None:
    files = {
        "plain.vcf": (GRCH38, "VCF · GRCh38 by its contig lengths"),
        "bare.vcf": (VCF, "VCF · assembly not told in its header"),
        "packed.vcf.gz": (gzip.compress(GRCH38), "VCF, compressed · GRCh38 by"),
        "blocks.vcf.gz": (in_blocks(tmp_path, GRCH38[:40], GRCH38[40:]), "compressed · GRCh38 by"),
        "binary.bcf": (in_blocks(tmp_path, b"BCF\x02\x02\0\0\0\0" + GRCH38), "BCF · GRCh38 by"),
        "long.vcf.gz": (
            gzip.compress(GRCH38 + os.urandom(10 * PART)),
            "VCF, compressed · GRCh38 by",
        ),
    }
    choose(new_job, *((name, content) for name, (content, _) in files.items()))
    for number, (_, said) in enumerate(files.values()):
        expect(new_job.locator(".upload-row").nth(number)).to_contain_text(said)
    assert Upload.objects.count() == 0


def test_files_that_cannot_do_are_refused_before_they_are_sent(window: Window, owner: User) -> None:
    Plan.objects.filter(pk=owner.plan_id).update(max_upload_bytes=10_000)
    page = window.sign_in(owner).open("/jobs/new/")
    wrong = {
        b"": "The file is empty.",
        b"<html>": "does not look like a VCF",
        b"PK\x03\x04": "zip archive",
        VCF.replace(b"\t", b" "): "separated by spaces",
        b"##fileformat=VCFv4.2\n": "no #CHROM line",
        GRCH37: "looks like GRCh37 by its contig lengths; this server annotates GRCh38",
        VCF + 20_000 * b"x": "your plan takes up to",
    }
    choose(page, *((f"{number}.vcf", content) for number, content in enumerate(wrong)))
    for number, said in enumerate(wrong.values()):
        expect(page.locator(".upload-row").nth(number).get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_role("button", name="Upload and annotate")).to_be_disabled()
    assert Upload.objects.count() == 0


def test_a_reference_that_fits_no_file_cannot_be_chosen(
    window: Window, owner: User, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with two_references(tmp_path, monkeypatch):
        page = window.sign_in(owner).open("/jobs/new/")
        storage(page, shelf, GRCH37)
        choose(page, ("older.vcf", GRCH37))
        usual = page.get_by_role("radio", name=re.compile("^GRCh38"))
        expect(usual).to_be_disabled()
        choose(page, ("newer.vcf", GRCH38))
        usual.check()
        expect(page.get_by_role("alert")).to_contain_text(
            "looks like GRCh37 by its contig lengths; the chosen reference is GRCh38."
        )
        page.get_by_role("button", name="Remove: newer.vcf").click()
        page.get_by_role("radio", name="As the file says").check()
        start(page)
        expect(page.get_by_role("heading", name="older.vcf")).to_be_visible()
    assert Job.objects.get().bundle == "older"


def test_of_several_files_each_becomes_a_job_and_the_wrong_one_none(
    new_job: Page, shelf: Shelf
) -> None:
    storage(new_job, shelf)
    choose(new_job, ("a.vcf", VCF), ("wrong.vcf", b"<html>"), ("b.vcf", VCF))
    new_job.get_by_role("button", name="Upload and annotate 2 files").click()
    expect(new_job.get_by_role("link", name="Go to the job")).to_have_count(2)
    assert sorted(Job.objects.values_list("name", flat=True)) == ["a.vcf", "b.vcf"]


def test_text_that_was_pasted_goes_the_same_way(new_job: Page, shelf: Shelf) -> None:
    storage(new_job, shelf)
    new_job.get_by_text("Or paste a VCF").click()
    new_job.get_by_label("The text of a VCF").fill(VCF.decode())
    new_job.get_by_role("button", name="Use this text").click()
    start(new_job)
    expect(new_job.get_by_role("heading", name="pasted.vcf")).to_be_visible()
    assert Job.objects.get().upload.size == len(VCF)
