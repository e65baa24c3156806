"""What the scripts of the page for a new job do with files while they are sent."""

import re

import pytest
from playwright.sync_api import Page, expect

from dev.waiting import until
from gas.models import Job, Plan, Upload, User
from tests.browser.transfers import BUCKET, LARGE, PART, VCF, choose, start, storage
from tests.browser.transfers import new_job as new_job
from tests.browser.transfers import usual as usual
from tests.stage import Shelf

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans", "usual")]


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
