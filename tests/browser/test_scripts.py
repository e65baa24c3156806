"""What scripts add to the pages: uploads with progress, live jobs, countdowns, the theme."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from gas.models import Job, Status, Upload, User
from gas.storage.locations import Location
from tasks import pipeline
from tests.browser.conftest import Window
from tests.browser.test_looks import a_file
from tests.stage import Shelf, job_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans")]

VCF = b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
BUCKET = f"https://{settings.BUCKETS['inputs']}.s3.amazonaws.com/"
ALLOWED = {"Access-Control-Allow-Origin": "*"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages to the pipeline go nowhere."""
    monkeypatch.setattr(pipeline, "send", lambda job: None)


@pytest.fixture
def new_job(window: Window, owner: User, shelf: Shelf, sent: None) -> Page:
    return window.sign_in(owner).open("/jobs/new/")


def storage_takes(page: Page, shelf: Shelf) -> None:
    """Let S3 put what it is sent on the shelf."""

    def take(route: Route) -> None:
        body = route.request.post_data_buffer or b""
        key = re.search(rb'name="key"\r\n\r\n(.+?)\r\n', body)
        if key:
            shelf.held[Location(settings.BUCKETS["inputs"], key[1].decode())] = VCF
        route.fulfill(status=201, headers=ALLOWED)

    page.route(f"{BUCKET}**", take)


def storage_refuses(page: Page, code: str) -> None:
    """Let S3 answer with an error."""
    body = f"<Error><Code>{code}</Code></Error>"
    page.route(f"{BUCKET}**", lambda route: route.fulfill(status=400, headers=ALLOWED, body=body))


def test_a_chosen_file_is_uploaded_and_submitted(new_job: Page, shelf: Shelf) -> None:
    storage_takes(new_job, shelf)
    new_job.get_by_label("Choose a VCF").set_input_files(a_file("trio7.vcf", VCF))
    new_job.get_by_label("Name of the job").fill("My trio")
    new_job.get_by_role("button", name="Upload and annotate").click()
    expect(new_job.get_by_role("heading", name="My trio")).to_be_visible()
    assert Job.objects.get().name == "My trio"


def test_a_file_with_a_long_name_makes_a_job_all_the_same(new_job: Page, shelf: Shelf) -> None:
    storage_takes(new_job, shelf)
    new_job.get_by_label("Choose a VCF").set_input_files(a_file(230 * "x" + ".vcf", VCF))
    new_job.get_by_role("button", name="Upload and annotate").click()
    expect(new_job.get_by_role("heading", name=200 * "x")).to_be_visible()
    assert Job.objects.get().name == 200 * "x"


def test_a_dropped_file_is_taken(new_job: Page) -> None:
    drop = """text => {
        const data = new DataTransfer();
        data.items.add(new File([text], "dropped.vcf"));
        const event = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
        document.querySelector("[data-drop]").dispatchEvent(event);
    }"""
    new_job.evaluate(drop, VCF.decode())
    expect(new_job.get_by_text("dropped.vcf")).to_be_visible()


def test_choosing_and_sending_needs_no_mouse(new_job: Page, shelf: Shelf) -> None:
    storage_takes(new_job, shelf)
    new_job.get_by_label("Choose a VCF").set_input_files(a_file("trio7.vcf", VCF))
    expect(new_job.get_by_role("button", name="Upload and annotate")).to_be_focused()
    new_job.keyboard.press("Enter")
    expect(new_job.get_by_role("heading", name="trio7.vcf")).to_be_visible()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"<html>", "does not look like a VCF"),
        (VCF + 20_000 * b"x", "your plan takes up to"),
    ],
)
def test_a_file_that_cannot_do_is_refused_before_it_is_sent(
    window: Window, owner: User, content: bytes, said: str
) -> None:
    owner.plan.max_upload_bytes = 10_000
    owner.plan.save()
    page = window.sign_in(owner).open("/jobs/new/")
    page.get_by_label("Choose a VCF").set_input_files(a_file("wrong.vcf", content))
    expect(page.get_by_role("alert")).to_contain_text(said)
    assert Upload.objects.count() == 0


@pytest.mark.parametrize(
    ("code", "said"),
    [("EntityTooLarge", "larger than 50"), ("AccessDenied", "refused the file (AccessDenied)")],
)
def test_a_refusal_of_storage_is_told_and_can_be_tried_again(
    new_job: Page, code: str, said: str
) -> None:
    storage_refuses(new_job, code)
    new_job.get_by_label("Choose a VCF").set_input_files(a_file("trio7.vcf", VCF))
    new_job.get_by_role("button", name="Upload and annotate").click()
    expect(new_job.get_by_role("alert")).to_contain_text(said)
    expect(new_job.get_by_role("button", name="Upload and annotate")).to_be_visible()
    assert Job.objects.count() == 0


def test_a_broken_connection_is_told(new_job: Page) -> None:
    new_job.route(f"{BUCKET}**", lambda route: route.abort("connectionreset"))
    new_job.get_by_label("Choose a VCF").set_input_files(a_file("trio7.vcf", VCF))
    new_job.get_by_role("button", name="Upload and annotate").click()
    expect(new_job.get_by_role("alert")).to_contain_text("The connection broke")


def test_an_upload_can_be_cancelled(new_job: Page) -> None:
    new_job.route(f"{BUCKET}**", lambda route: None)  # S3 never answers
    new_job.get_by_label("Choose a VCF").set_input_files(a_file("trio7.vcf", VCF))
    with new_job.expect_request(f"{BUCKET}**"):
        new_job.get_by_role("button", name="Upload and annotate").click()
    new_job.get_by_role("button", name="Cancel the upload").click()
    expect(new_job.get_by_role("button", name="Upload and annotate")).to_be_visible()
    expect(new_job.get_by_role("alert")).to_be_hidden()
    assert Job.objects.count() == 0


def test_the_page_of_a_job_follows_it_and_then_rests(
    window: Window, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.RUNNING, owner=owner, shelf=shelf)
    page = window.sign_in(owner).open(f"/jobs/{job.pk}/")
    expect(page.get_by_role("heading", name="Annotating your variants")).to_be_visible()
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_accessible_name("Annotating: 42 %")
    Job.objects.filter(pk=job.pk).update(stage="write", percent=95)
    expect(bar).to_have_accessible_name("Writing the results: 95 %")
    expect(bar).to_have_js_property("value", 95)
    Job.objects.move(
        job.pk,
        Status.RUNNING,
        Status.FAILED,
        actor="a worker",
        failure="Line 3 is short.",
        completed_at=timezone.now(),
        wake_at=None,
    )
    expect(page.get_by_text("Line 3 is short.")).to_be_visible()
    expect(page).to_have_title(re.compile("^Failed: Trio 7"))
    expect(page.get_by_text("The job is now failed.")).to_be_attached()
    expect(page.locator("[hx-trigger]")).to_have_count(0)


def test_a_countdown_that_ends_wakes_the_page(window: Window, owner: User, shelf: Shelf) -> None:
    soon = timezone.now() + timedelta(seconds=2)
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, wake_at=soon)
    page = window.sign_in(owner).open(f"/jobs/{job.pk}/")
    expect(page.locator("[data-seconds]")).to_have_text(re.compile(r"^0:0\d$"))
    expect(page.get_by_text("at any moment")).to_be_visible()
    Job.objects.move(job.pk, Status.COMPLETED, Status.ARCHIVING, actor="a worker")
    expect(page.get_by_role("heading", name="Moving to the archive")).to_be_visible()


def test_a_session_that_ends_shows_the_way_back_in(
    window: Window, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.RUNNING, owner=owner, shelf=shelf)
    page = window.sign_in(owner).open(f"/jobs/{job.pk}/")
    window.context.clear_cookies()
    expect(page.get_by_role("button", name="Continue with Globus")).to_be_visible()
    assert page.url.endswith(f"/login/?next=/jobs/{job.pk}/")


def test_the_list_of_jobs_follows_them(window: Window, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    page = window.sign_in(owner).open("/jobs/")
    Job.objects.move(job.pk, Status.QUEUED, Status.CANCELLED, actor="owner")
    expect(page.locator(".job-row .status")).to_have_text("Cancelled")
    expect(page.locator("[hx-trigger]")).to_have_count(0)


def test_the_theme_follows_the_system_until_somebody_chooses(window: Window) -> None:
    page = window.open("/")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Switch to the light theme").click()
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "light")


def test_the_first_tab_skips_to_the_content(window: Window) -> None:
    page = window.open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
