"""The operators' pages and the notice of a maintenance: how they look, and what moves in them."""

import random
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db.models.functions import Now
from django.utils import timezone
from playwright.sync_api import expect

from celeryconfig import QUEUES
from gas.models import Job, JobEvent, QueueState, Sample, Status, Usage, User, Worker
from gas.services import maintenance, operations_history
from gas.storage import queues
from gas.storage.queues import Counts
from tests.browser.conftest import Window
from tests.browser.test_looks import lasting, look_at, window
from tests.stage import Shelf, job_in

__all__ = ["lasting", "window"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans")]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def staff(window: Window) -> Window:
    """A window of somebody of the staff who showed a second factor."""
    operator = User.objects.create_user("operator", is_staff=True, is_superuser=True)
    signed_in = window.sign_in(operator)
    cookies = {c.get("name"): c.get("value") for c in signed_in.context.cookies()}
    session = SessionStore(cookies[settings.SESSION_COOKIE_NAME])
    session["proven_at"] = time.time()
    session.save()
    return signed_in


@pytest.fixture(autouse=True)
def quiet_sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQS tells the same of every queue; and nothing is known of what was before."""
    monkeypatch.setattr(queues, "counts", lambda url: Counts(12 * ("annotate" in url), 2, 0))
    operations_history.forget()
    maintenance.forget()
    yield
    operations_history.forget()
    maintenance.forget()


@pytest.fixture
def busy_day(owner: User, shelf: Shelf) -> Job:
    """A day on which much happened, workers at work and lost, and a queue that is paused."""
    dice, now = random.Random(1), timezone.now()
    running = job_in(Status.RUNNING, owner=owner, shelf=shelf)
    failed = job_in(Status.FAILED, owner=owner, shelf=shelf)
    for number in range(120):
        job, after = (failed, "failed") if number % 9 == 0 else (running, "completed")
        at = now - timedelta(minutes=dice.randint(5, 1400))
        reason = f"Line {number} has only 7 columns." if after == "failed" else ""
        began = {"before": "queued", "after": "running", "at": at - dice.randint(1, 9) * MINUTE}
        JobEvent.objects.create(job=job, actor="a", **began)
        JobEvent.objects.create(
            job=job, actor="a", before="running", after=after, at=at, reason=reason
        )
    for minutes in range(0, 1440, 10):
        told = {name: [dice.randint(0, 30), 1, 0, 0] for name in QUEUES}
        Sample.objects.create(at=now - minutes * MINUTE, queues=told, swept={"dead letters": 2})
    pause = {"paused_at": Now(), "paused_by": "operator", "pause_reason": "The archive is slow."}
    QueueState.objects.update_or_create(name="thaw", defaults=pause)
    task = {"task": "annotate", "job": running.pk, "since": (now - MINUTE).isoformat()}
    one = {"pid": 4711, "release": "352f6da8c1b0", "processes": 2, "memory_mb": 812}
    for name, queue, runs in (("annotate", "annotate", [task]), ("courier", "thaw", [])):
        name = f"{name}@ip-10-0-12-34.eu-west-1.compute.internal"
        Worker.objects.create(name=name, host="ip-10", queues=[queue], running=runs, **one)
    lost = Worker.objects.create(name="annotate@lost", host="l", queues=["annotate"], **one)
    Worker.objects.filter(pk=lost.pk).update(seen_at=now - 10 * MINUTE)
    Usage.objects.create(
        user=owner,
        jobs=12_345,
        input_bytes=3 * 10**12,
        archived_bytes=9 * 10**12,
        archived_files=40_000,
        monthly_microdollars=98_765_432,
    )
    return running


def test_a_busy_day(staff: Window, busy_day: Job) -> None:
    page = staff.open("/admin/operations/")
    expect(page.get_by_text("lost", exact=True)).to_be_visible()
    expect(page.get_by_text("Paused by operator")).to_be_visible()
    page.locator("#day-numbers summary").click()
    look_at(page, "operations")


def test_a_day_of_rest(staff: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "counts", lambda url: Counts(0, 0, 0))
    page = staff.open("/admin/operations/")
    expect(page.get_by_text("all is at rest")).to_be_visible()
    look_at(page, "operations-rest")


def test_what_moves_is_seen_without_a_reload_and_a_form_is_confirmed(
    staff: Window, busy_day: Job
) -> None:
    page = staff.open("/admin/operations/")
    before = page.locator("#n-running").inner_text()
    page.locator("#day-numbers summary").click()
    Job.objects.filter(pk=busy_day.pk).update(
        status="cancelled", wake_at=None, stage="", percent=0, stages=[]
    )
    expect(page.locator("#n-running")).not_to_have_text(before)
    expect(page.locator("#day-numbers")).to_have_attribute("open", "")
    page.locator("#purge-annotate").click()
    look_at(page, "operations-purge")
    page.get_by_role("link", name="No, go back").click()
    page.locator("#pause-annotate").click()
    page.get_by_label("Why").fill("New disks are put in.")
    page.get_by_role("button", name="Pause annotate").click()
    expect(page.get_by_text("annotate is paused: workers stop")).to_be_visible()


def test_costs(staff: Window, owner: User, busy_day: Job, shelf: Shelf) -> None:
    job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    look_at(staff.open(f"/admin/operations/costs/{owner.pk}/"), "operations-costs")


def test_maintenance_from_announcing_it_to_its_notice(staff: Window, owner: User) -> None:
    page = staff.open("/admin/operations/maintenance/")
    page.get_by_label("What people are told").fill("New disks are put in")
    page.get_by_label("From").fill("2035-01-31T14:00")
    page.get_by_label("Until").fill("2035-01-31T12:00")
    page.get_by_role("button", name="Take nothing new").click()
    look_at(page, "maintenance-wrong")
    page.get_by_label("Until").fill("2035-01-31T16:00")
    page.get_by_role("button", name="Take nothing new").click()
    expect(page.locator("#maintenance")).to_contain_text("Maintenance from 31 Jan, 14:00 UTC")
    look_at(page, "maintenance-announced")
    maintenance.begin(actor="operator", message="New disks are put in")
    look_at(staff.open("/admin/operations/maintenance/"), "maintenance-on")
    look_at(staff.open("/admin/"), "maintenance-staff")
    page.close()  # which asks on, and would meet somebody else's session
    people = staff.sign_in(owner).open("/jobs/new/")
    people.get_by_role("button", name="Use the example").click()
    expect(people.get_by_role("heading", name="Nothing new is taken")).to_be_visible()
    look_at(people, "maintenance-closed")
