"""What scripts add to the pages: live jobs, countdowns, the theme."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from gas.models import Job, Status, User
from tests.browser.conftest import Window
from tests.stage import Shelf, job_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans")]


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


def test_a_countdown_that_ends_wakes_the_page_and_leaves_what_somebody_is_at(
    window: Window, owner: User, shelf: Shelf
) -> None:
    soon = timezone.now() + timedelta(seconds=6)
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, wake_at=soon)
    page = window.sign_in(owner).open(f"/jobs/{job.pk}/")
    expect(page.locator("[data-seconds]")).to_have_text(re.compile(r"^0:0\d$"))
    page.locator("#log-summary").click()
    expect(page.get_by_text("records in")).to_be_visible()
    expect(page.get_by_text("at any moment")).to_be_visible()
    Job.objects.move(job.pk, Status.COMPLETED, Status.ARCHIVING, actor="a worker")
    expect(page.get_by_role("heading", name="Moving to the archive")).to_be_visible()
    expect(page.get_by_text("The job is now archiving.")).to_be_attached()
    expect(page.get_by_text("records in")).to_be_visible()
    expect(page.locator("#log-summary")).to_be_focused()


def test_jobs_are_ticked_and_deleted_by_the_keyboard_while_their_list_holds_still(
    window: Window, owner: User, shelf: Shelf
) -> None:
    for name in ("First", "Second"):
        job_in(Status.QUEUED, owner=owner, shelf=shelf, name=name)
    page = window.sign_in(owner).open("/jobs/")
    page.get_by_label("All on this page").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Ticked jobs (2):")).to_be_visible()
    job_in(Status.QUEUED, owner=owner, shelf=shelf, name="Third")
    ask = "htmx.ajax('GET', '/jobs/', {source: '#job-list', select: '#job-list'})"
    page.evaluate(ask)  # as it does by itself every few seconds
    expect(page.get_by_role("link", name="Third")).to_have_count(0)
    page.get_by_label("Tick First").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Ticked jobs (1):")).to_be_visible()
    page.get_by_role("button", name="Delete …").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delete 1 job?")).to_be_visible()
    page.get_by_role("button", name="Delete it for ever").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 job was deleted, with all files.")).to_be_visible()
    expect(page.get_by_role("link", name="Second")).to_have_count(0)
    assert set(Job.objects.values_list("name", flat=True)) == {"First", "Third"}


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
