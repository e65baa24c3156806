"""What the scripts of the page for a new job do with files, before and while they are sent."""

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from annotator.bgzf import BgzfWriter
from dev.waiting import until
from gas.models import Job, Plan, Upload, User
from gas.storage.digests import MIB
from tasks import pipeline
from tests.browser.conftest import Window
from tests.browser.test_looks import a_file
from tests.references import two_references
from tests.stage import Shelf

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans")]

COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
VCF = b"##fileformat=VCFv4.2\n" + COLUMNS
ON = b"##fileformat=VCFv4.2\n##contig=<ID=chr1,length=%d>\n" + COLUMNS
GRCH37, GRCH38 = ON % 249250621, ON % 248956422
BUCKET = f"https://{settings.BUCKETS['inputs']}.s3.amazonaws.com/"
ALLOWED = {"Access-Control-Allow-Origin": "*"}
PART = MIB // 16
LARGE = VCF + 3 * PART * b"x"


@pytest.fixture(autouse=True)
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages to the pipeline go nowhere, and parts are small."""
    monkeypatch.setattr(pipeline, "send", lambda job: None)
    monkeypatch.setattr(settings, "PART_BYTES", PART)


@pytest.fixture
def new_job(window: Window, owner: User, shelf: Shelf) -> Page:
    return window.sign_in(owner).open("/jobs/new/")


Answer = Callable[[int], int]


def always(number: int) -> int:
    """The answer of a storage that takes every part."""
    return 200


def storage(
    page: Page, shelf: Shelf, content: bytes = VCF, *, answer: Answer = always
) -> list[int]:
    """Let S3 put the parts of a file on the shelf; returns the numbers that it was sent."""
    asked: list[int] = []

    def take(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        number = int(query["partNumber"][0])
        asked.append(number)
        status = answer(number)
        if status == 0:
            route.abort("connectionreset")
            return
        if status == 200:
            part = content[(number - 1) * PART : number * PART]
            shelf.coming[query["uploadId"][0]][number] = part
        code = {403: "AccessDenied", 404: "NoSuchUpload"}.get(status, "")
        route.fulfill(status=status, headers=ALLOWED, body=f"<Error><Code>{code}</Code></Error>")

    page.route(f"{BUCKET}**", take)
    return asked


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    page.get_by_label("Choose a VCF").set_input_files([a_file(*file) for file in files])


def start(page: Page) -> None:
    page.get_by_role("button", name="Upload and annotate").click()


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


def test_a_part_that_fails_is_sent_again(new_job: Page, shelf: Shelf) -> None:
    answers = iter([0, 503, 403])
    asked = storage(new_job, shelf, answer=lambda number: next(answers, 200))
    choose(new_job, ("trio7.vcf", VCF))
    start(new_job)
    expect(new_job.get_by_role("heading", name="trio7.vcf")).to_be_visible()
    assert asked == [1, 1, 1, 1]


def test_a_lost_network_is_told_and_the_upload_goes_on_when_it_is_back(
    new_job: Page, shelf: Shelf
) -> None:
    answers = iter(7 * [0])
    asked = storage(new_job, shelf, answer=lambda number: next(answers, 200))
    new_job.clock.install()
    choose(new_job, ("trio7.vcf", VCF))
    start(new_job)

    def patience_ends() -> bool:
        new_job.clock.run_for(20_000)
        return new_job.get_by_role("alert").is_visible()

    until(patience_ends, "the end of patience")
    expect(new_job.get_by_role("alert")).to_contain_text("The connection broke")
    new_job.evaluate("dispatchEvent(new Event('online'))")
    expect(new_job.get_by_role("heading", name="trio7.vcf")).to_be_visible()
    assert asked == 8 * [1]


def test_an_upload_that_ended_elsewhere_is_told(new_job: Page, shelf: Shelf) -> None:
    storage(new_job, shelf, answer=lambda number: 404)
    choose(new_job, ("trio7.vcf", VCF))
    start(new_job)
    expect(new_job.get_by_role("alert")).to_contain_text("This upload has ended")
    assert Job.objects.count() == 0


def test_a_session_that_ended_is_told(new_job: Page, shelf: Shelf) -> None:
    choose(new_job, ("trio7.vcf", VCF))
    new_job.context.clear_cookies()
    start(new_job)
    expect(new_job.get_by_role("alert")).to_contain_text(re.compile("session has ended|too long"))
    assert Upload.objects.count() == 0


def test_a_full_plan_is_told_in_its_own_words_and_the_rest_goes_on(
    new_job: Page, shelf: Shelf, owner: User
) -> None:
    storage(new_job, shelf)
    Plan.objects.filter(pk=owner.plan_id).update(max_active_jobs=1)
    choose(new_job, ("a.vcf", VCF), ("b.vcf", VCF))
    new_job.get_by_role("button", name="Upload and annotate 2 files").click()
    expect(new_job.get_by_role("link", name="Go to the job")).to_have_count(1)
    expect(new_job.get_by_role("alert")).to_contain_text("which is what your plan allows")


def test_an_upload_can_be_paused_and_goes_on_with_what_is_missing(
    new_job: Page, shelf: Shelf
) -> None:
    new_job.route(f"{BUCKET}**", lambda route: None)  # S3 does not answer yet
    choose(new_job, ("large.vcf", LARGE))
    with new_job.expect_request(f"{BUCKET}**"):
        start(new_job)
    new_job.get_by_role("button", name="Pause").click()
    expect(new_job.get_by_role("button", name="Resume")).to_be_visible()
    new_job.unroute(f"{BUCKET}**")
    shelf.coming[Upload.objects.get().parts_id][2] = LARGE[PART : 2 * PART]
    storage(new_job, shelf, LARGE)
    new_job.get_by_role("button", name="Resume").click()
    expect(new_job.get_by_role("heading", name="large.vcf")).to_be_visible()
    assert shelf.coming == {}
    assert Job.objects.get().upload.size == len(LARGE)


def test_the_same_file_goes_on_after_a_reload_with_what_is_missing(
    new_job: Page, shelf: Shelf
) -> None:
    asked = storage(new_job, shelf, LARGE, answer=lambda number: 200 if number < 3 else 0)
    choose(new_job, ("large.vcf", LARGE))
    start(new_job)
    expect(new_job.get_by_text(re.compile(r"^(6\d|5\d) %"))).to_be_visible()
    new_job.unroute(f"{BUCKET}**")
    new_job.reload()
    expect(new_job.get_by_role("heading", name="Not finished")).to_be_visible()
    asked = storage(new_job, shelf, LARGE)
    choose(new_job, ("large.vcf", LARGE))
    start(new_job)
    expect(new_job.get_by_role("heading", name="Not finished")).to_have_count(0)
    expect(new_job.get_by_role("heading", name="large.vcf")).to_be_visible()
    assert sorted(asked) == [3, 4]
    assert Job.objects.get().upload.size == len(LARGE)


def test_an_upload_that_is_cancelled_leaves_nothing_in_storage(new_job: Page, shelf: Shelf) -> None:
    new_job.route(f"{BUCKET}**", lambda route: None)  # S3 never answers
    choose(new_job, ("trio7.vcf", VCF))
    with new_job.expect_request(f"{BUCKET}**"):
        start(new_job)
    new_job.get_by_role("button", name="Cancel the upload").click()
    expect(new_job.get_by_text("Cancelled; nothing of it is kept.")).to_be_visible()
    expect(new_job.get_by_role("button", name="Remove")).to_be_visible()
    new_job.reload()
    expect(new_job.get_by_role("heading", name="Not finished")).to_have_count(0)
    assert (Upload.objects.count(), shelf.coming) == (0, {})
