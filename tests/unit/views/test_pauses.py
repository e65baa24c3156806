"""What the owner of a waiting job is told while operators hold it up, by its page and the API."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gas.models import Job, Status, User
from gas.services import maintenance, pauses, queue
from gas.services.staff import queues
from tests.stage import Shelf, job_in
from tests.unit.api.conftest import program as program

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)

WAITS_FOR = {
    Status.QUEUED: "annotate",
    Status.ARCHIVING: "archive",
    Status.THAWING: "thaw",
    Status.RESTORING: "restore",
}


def pause(name: str) -> None:
    queues.pause(queue=queues.queue_named(name), actor="operator", reason="secret reason")


def resume(name: str) -> None:
    queues.resume(queue=queues.queue_named(name), actor="operator", reason="mended")


def page_of(researcher: Client, job: Job) -> str:
    return researcher.get(f"/jobs/{job.pk}/").content.decode()


@pytest.mark.parametrize("status", WAITS_FOR)
def test_a_job_whose_queue_is_paused_says_so_until_it_is_resumed(
    researcher: Client, program: Client, owner: User, shelf: Shelf, status: Status
) -> None:
    job = job_in(status, owner=owner, shelf=shelf)
    address = f"/api/v1/jobs/{job.pk}"
    assert 'id="held"' not in page_of(researcher, job)
    assert program.get(address).json()["held"] is None
    pause(WAITS_FOR[status])
    sentence = pauses.QUEUED if status is Status.QUEUED else pauses.LATER
    page = page_of(researcher, job)
    assert f'id="held">{sentence}</p>' in page
    assert "secret reason" not in page
    assert program.get(address).json()["held"] == sentence
    resume(WAITS_FOR[status])
    assert 'id="held"' not in page_of(researcher, job)
    assert program.get(address).json()["held"] is None


def test_the_sentence_of_a_queued_job_promises_its_place() -> None:
    assert pauses.QUEUED == "The queue is paused by the operators; your job keeps its place."


def test_a_pause_of_another_queue_is_no_matter_of_the_job(owner: User, shelf: Shelf) -> None:
    pause("thaw")
    assert pauses.told(job_in(Status.QUEUED, owner=owner, shelf=shelf)) == ""


@pytest.mark.parametrize("status", Status)
def test_what_a_worker_is_at_and_what_waits_for_nothing_is_not_held(
    owner: User, shelf: Shelf, status: Status
) -> None:
    for name in ("annotate", "archive", "thaw", "restore"):
        pause(name)
    job = job_in(status, owner=owner, shelf=shelf)
    at_work = timezone.now() + MINUTE
    job.lease_until = at_work
    job.wake_at = at_work
    assert pauses.told(job) == ""


@pytest.mark.parametrize(
    ("status", "name"), [(Status.COMPLETED, "archive"), (Status.ARCHIVED, "thaw")]
)
def test_results_that_are_due_to_move_are_held_and_others_are_not(
    owner: User, shelf: Shelf, status: Status, name: str
) -> None:
    pause(name)
    job = job_in(status, owner=owner, shelf=shelf)
    job.wake_at = timezone.now() + MINUTE
    assert pauses.told(job) == ""
    job.wake_at = timezone.now() - MINUTE
    assert pauses.told(job) == pauses.LATER


def test_a_page_that_is_open_hears_of_a_pause(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    live = f"/jobs/{job.pk}/live/"
    seen = page_of(researcher, job).partition(f"{live}?seen=")[2].partition('"')[0]
    assert researcher.get(f"{live}?seen={seen}").status_code == 204
    pause("annotate")
    assert pauses.QUEUED in researcher.get(f"{live}?seen={seen}").content.decode()


def test_nobody_says_how_long_a_paused_queue_takes(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job_in(Status.RUNNING, owner=owner, shelf=shelf, lease_until=timezone.now() + MINUTE)
    for _ in range(queue.FEWEST):
        job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    assert "it begins in" in page_of(researcher, job)
    pause("annotate")
    assert "it begins in" not in page_of(researcher, job)
    assert queue.place_of(job) == queue.Place(0, None)


def test_a_queued_job_says_that_it_goes_on_under_maintenance(
    researcher: Client, program: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    done = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    maintenance.begin(actor="operator", message="New <b>disks</b> are put in")
    told = "New <b>disks</b> are put in. Jobs go on meanwhile, and yours keeps its place."
    assert program.get(f"/api/v1/jobs/{job.pk}").json()["held"] == told
    assert program.get(f"/api/v1/jobs/{done.pk}").json()["held"] is None
    page = page_of(researcher, job)
    assert "New &lt;b&gt;disks&lt;/b&gt; are put in. Jobs go on meanwhile" in page
    pause("annotate")
    assert program.get(f"/api/v1/jobs/{job.pk}").json()["held"] == pauses.QUEUED
