"""What the page of a job says of trouble on our side, and how its owner deletes it."""

from http import HTTPStatus

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from gas.models import Job, JobEvent, Status, Upload, User
from tests.stage import Shelf, job_in

pytestmark = pytest.mark.django_db


def page_of(researcher: Client, job: Job) -> str:
    return researcher.get(f"/jobs/{job.pk}/").content.decode()


@pytest.mark.parametrize("status", [Status.ARCHIVING, Status.THAWING, Status.RESTORING])
def test_a_job_that_stalled_says_so_and_is_asked_after_no_more(
    researcher: Client, owner: User, shelf: Shelf, status: Status
) -> None:
    job = job_in(status, owner=owner, shelf=shelf, trouble="AccessDenied s3://gas-results/x")
    JobEvent.objects.create(
        job=job, actor="w", before=status, after=status, reason="stalled: AccessDenied"
    )
    page = page_of(researcher, job)
    assert "We have met a problem on our side" in page
    assert "Met a problem on our side" in page
    assert "AccessDenied" not in page
    assert "every 3s" not in page


def test_a_step_that_is_tried_again_says_so(researcher: Client, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.ARCHIVING, owner=owner, shelf=shelf, trouble="denied")
    Job.objects.filter(pk=job.pk).update(wake_at=job.created_at)
    page = page_of(researcher, job)
    assert "We keep trying" in page
    assert "every 3s" in page


def test_results_that_are_missing_are_admitted(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, trouble="missing")
    assert "cannot be found in our storage" in page_of(researcher, job)


def test_a_job_without_trouble_says_nothing_of_it(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    for status in Status:
        job = job_in(status, owner=owner, shelf=shelf)
        assert 'id="trouble"' not in page_of(researcher, job)


@pytest.mark.parametrize("status", list(Status))
def test_a_job_is_deleted_by_its_owner_from_its_page(
    researcher: Client, owner: User, shelf: Shelf, sent: list[int], status: Status
) -> None:
    kept = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    before = dict(shelf.held)
    job = job_in(status, owner=owner, shelf=shelf)
    address = f"/jobs/{job.pk}/delete/"
    assert f'action="{address}"' in page_of(researcher, job)
    answer = researcher.post(address)
    assert (answer.status_code, answer["Location"]) == (HTTPStatus.FOUND, "/jobs/")
    assert [str(told) for told in get_messages(answer.wsgi_request)] == [
        f"Job {job.pk} and its files were deleted."
    ]
    assert researcher.get(f"/jobs/{job.pk}/").status_code == HTTPStatus.NOT_FOUND
    assert list(Job.objects.all()) == [kept]
    assert list(Upload.objects.all()) == [kept.upload]
    assert shelf.held == before
    assert researcher.post(address).status_code == HTTPStatus.NOT_FOUND
