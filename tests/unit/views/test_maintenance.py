"""Maintenance: nothing new is taken, everything can be read, staff can work, every page tells."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from gas import health
from gas.management.commands.maintenance import moment
from gas.models import Job, Maintenance, Status, Upload, User
from gas.services import maintenance, uploads
from gas.views.health import LATELY
from tests.stage import Shelf, job_in
from tests.unit.views.conftest import signed_in

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
SCRIPT = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    """What another test, or the process before, knew is forgotten."""
    maintenance.forget()
    yield
    maintenance.forget()


@pytest.fixture
def closed() -> Maintenance:
    ends_at = timezone.now() + HOUR
    return maintenance.begin(actor="operator", message="New disks are put in", ends_at=ends_at)


def submissions(owner: User, shelf: Shelf) -> list[str]:
    """Every address by which something new comes."""
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    upload = uploads.begin(owner=owner, filename="trio7.vcf").upload
    return [
        reverse("begin_upload"),
        reverse("submit_example"),
        reverse("submit_upload", args=[upload.pk]),
        reverse("run_again", args=[job.pk]),
    ]


def test_nothing_new_is_taken_and_the_page_says_why_and_when_to_come_back(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    addresses = submissions(owner, shelf)
    rows = Job.objects.count(), Upload.objects.count()
    maintenance.begin(actor="operator", message="Disks", ends_at=timezone.now() + HOUR)
    for address in addresses:
        answer = researcher.post(address, {"filename": "a.vcf"})
        assert answer.status_code == 503, address
        assert 3500 < int(answer["Retry-After"]) <= 3600
        assert "Disks. Nothing new is taken until" in answer.content.decode()
    assert (Job.objects.count(), Upload.objects.count()) == rows


def test_a_script_gets_one_sentence_and_its_parts_wait(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    whole = {"filename": "a.vcf", "size": 9, "first_bytes": 64 * "a"}
    begun = researcher.post(reverse("begin_upload"), whole, headers=SCRIPT)
    assert begun.status_code == 201
    maintenance.begin(actor="operator", message="Disks")
    part = researcher.post(begun.json()["parts"], {"number": 1, "sha256": 64 * "b"}, headers=SCRIPT)
    again = researcher.post(reverse("begin_upload"), whole, headers=SCRIPT)
    for answer in (part, again):
        assert answer.status_code == 503
        assert answer["Retry-After"] == str(maintenance.RETRY_AFTER)
        assert answer.json()["problem"].startswith("Disks. Nothing new is taken;")


def test_everything_can_be_read_and_every_page_tells(
    researcher: Client, owner: User, shelf: Shelf, closed: Maintenance
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    paths = ["/", "/jobs/", "/jobs/new/", f"/jobs/{job.pk}/", "/help/", "/account/", "/nowhere/"]
    for path in paths:
        page = researcher.get(path).content.decode()
        assert 'id="maintenance"' in page, path
        assert "New disks are put in." in page, path


def test_what_is_here_can_be_cancelled_and_deleted(
    researcher: Client, owner: User, shelf: Shelf, closed: Maintenance
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    assert researcher.post(reverse("cancel_job", args=[job.pk])).status_code == 302
    assert Job.objects.get().status == Status.CANCELLED


def test_staff_can_work(closed: Maintenance, shelf: Shelf) -> None:
    staff = User.objects.create_user("operator", is_staff=True)
    answer = signed_in(staff).post(reverse("begin_upload"), {"filename": "a.vcf"})
    assert answer.status_code == 302
    assert Upload.objects.get().owner == staff


def test_it_is_announced_before_it_begins_and_everything_is_taken_until_then(
    researcher: Client, shelf: Shelf, owner: User
) -> None:
    begins = timezone.now() + HOUR
    maintenance.begin(actor="operator", message="Disks", begins_at=begins, ends_at=begins + HOUR)
    page = researcher.get("/jobs/").content.decode()
    assert "Maintenance from" in page
    assert f"{begins:%H:%M} UTC" in page
    assert uploads.begin(owner=owner, filename="a.vcf").upload.owner == owner


def test_it_ends_by_itself(owner: User) -> None:
    begins = timezone.now() - 2 * HOUR
    row = maintenance.begin(actor="operator", ends_at=timezone.now() + HOUR)
    maintenance.admit(User(is_staff=True))
    with pytest.raises(maintenance.UnderMaintenance):
        maintenance.admit(owner)
    Maintenance.objects.filter(pk=row.pk).update(begins_at=begins, ends_at=begins + HOUR)
    maintenance.forget()
    maintenance.admit(owner)
    assert maintenance.notice() is None


def test_switching_it_off_says_who_did_and_calls_off_what_was_announced(
    closed: Maintenance,
) -> None:
    assert maintenance.end(actor="another")
    assert not maintenance.end(actor="a third")
    closed.refresh_from_db()
    assert (closed.begun_by, closed.called_off_by) == ("operator", "another")
    assert maintenance.notice() is None


def test_a_new_one_replaces_the_one_before(closed: Maintenance) -> None:
    maintenance.begin(actor="operator", message="Longer than we thought")
    assert Maintenance.objects.filter(called_off_at=None).count() == 1
    found = maintenance.notice()
    assert found is not None
    assert (found.message, found.ends_at) == ("Longer than we thought.", None)


@pytest.mark.parametrize("hours", [-1, 0])
def test_an_end_that_is_no_end_is_refused(hours: int) -> None:
    with pytest.raises(maintenance.MaintenanceRefused):
        maintenance.begin(actor="operator", ends_at=timezone.now() + hours * HOUR)
    assert not Maintenance.objects.exists()


@override_settings(MAINTENANCE="The database moves.")
def test_the_setting_goes_before_the_row(researcher: Client, owner: User) -> None:
    maintenance.end(actor="operator")
    with pytest.raises(maintenance.UnderMaintenance, match="The database moves"):
        maintenance.admit(owner)
    assert "The database moves." in researcher.get("/jobs/").content.decode()


def test_a_message_is_text_on_the_page(researcher: Client) -> None:
    maintenance.begin(actor="operator", message="<script>alert(1)</script>\n\nof disks")
    page = researcher.get("/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; of disks." in page


def test_the_site_is_up_and_ready_and_tells(
    client: Client, closed: Maintenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "look", lambda parts: [])
    LATELY.forget()
    assert client.get("/healthz").status_code == 200
    page = client.get("/readyz")
    assert page.status_code == 200
    assert page.content.decode() == "ok\nmaintenance: New disks are put in.\n"
    LATELY.forget()


def test_a_process_asks_for_it_every_few_seconds_and_not_for_each_page() -> None:
    assert maintenance.notice() is None
    Maintenance.objects.create(message="Disks", begun_by="another process")
    assert maintenance.notice() is None
    maintenance.forget()
    assert maintenance.notice() is not None


def test_the_command_sets_tells_and_ends_it() -> None:
    def said(*words: str) -> str:
        call_command("maintenance", *words, stdout=(out := StringIO()))
        return out.getvalue()

    assert said() == "everything is taken\n"
    told = said("on", "--message", "Disks", "--until", "2035-01-31T14:00")
    assert told == "maintenance on until 2035-01-31 14:00 UTC: Disks.\n"
    assert said("on", "--from", "2035-01-31T14:00").startswith("maintenance from 2035-01-31 14:00")
    assert said("off") == "everything is taken\n"
    with pytest.raises(CommandError, match="no time"):
        said("on", "--until", "soon")
    with pytest.raises(CommandError, match="end after"):
        said("on", "--until", "2020-01-01T00:00")


def test_a_time_of_day_is_the_next_one_in_utc() -> None:
    noon = datetime.fromisoformat("2030-05-04T12:00:00+00:00")
    assert moment("14:00", after=noon) == noon + 2 * HOUR
    assert moment("12:00", after=noon) == noon + 24 * HOUR
    assert moment("2030-05-04T16:00+02:00", after=noon) == noon + 2 * HOUR
