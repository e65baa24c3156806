"""What the page of a waiting job says of its place."""

from datetime import timedelta

import pytest
from django.test import Client

from gas.models import Job, Status, User
from gas.services import queue
from gas.services.queue import Place
from tests.stage import Shelf, job_in


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (Place(0, None), "Yours is the next."),
        (Place(1, None), "1 job before yours."),
        (Place(3, timedelta(minutes=2)), "3 jobs before yours; it begins in about 2 minutes."),
        (Place(0, timedelta(seconds=9)), "Yours is the next; it begins in less than a minute."),
        (Place(12_345, None), "12,345 jobs before yours."),
    ],
)
def test_a_waiting_jobs_page_tells_its_place(
    researcher: Client,
    owner: User,
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    place: Place,
    sentence: str,
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    monkeypatch.setattr(queue, "place_of", lambda job: place)
    page = researcher.get(f"/jobs/{job.pk}/").content.decode()
    said = page.partition('<p id="place">')[2].partition("</p>")[0]
    assert said.replace("<strong>", "").replace("</strong>", "") == sentence


def test_the_page_is_told_when_the_place_has_changed(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    first = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    second = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    live = f"/jobs/{second.pk}/live/"
    page = researcher.get(live).content.decode()
    assert "1 job" in page
    seen = page.partition(f"{live}?seen=")[2].partition('"')[0]
    assert researcher.get(f"{live}?seen={seen}").status_code == 204
    Job.objects.filter(pk=first.pk).update(status=Status.RUNNING)
    assert "Yours is the next" in researcher.get(f"{live}?seen={seen}").content.decode()
