"""Several jobs at once: asked first, done when it is sent, to one's own jobs alone."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from gas.forms import MOST_AT_ONCE
from gas.models import Job, Status, User
from gas.storage.errors import StorageUnavailable
from gas.storage.locations import inputs
from tests.stage import Shelf, job_in

pytestmark = pytest.mark.django_db

CHOSEN = "/jobs/chosen/"


def states() -> dict[str, str]:
    return dict(Job.objects.values_list("name", "status"))


def three(owner: User, shelf: Shelf) -> list[int]:
    """A job that waits, one that runs, and one that has ended."""
    kinds = (Status.QUEUED, Status.RUNNING, Status.COMPLETED)
    return [job_in(kind, owner=owner, shelf=shelf, name=kind.value).pk for kind in kinds]


def asked(client: Client, verb: str, ids: list[int], **place: Any) -> Any:
    """What the page answers that asks whether it is meant."""
    sent: dict[str, Any] = {"verb": verb, "job": ids, **place}
    return client.get(CHOSEN, sent)


def said(client: Client, verb: str, ids: Iterable[object]) -> str:
    """What the list says when this was sent."""
    answer = client.post(CHOSEN, {"verb": verb, "job": list(ids)}, follow=True)
    assert answer.status_code == 200
    [message] = answer.context["messages"]
    return str(message)


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_asking_changes_nothing_and_names_what_it_would_change(
    researcher: Client, owner: User, shelf: Shelf, verb: str
) -> None:
    ids = three(owner, shelf)
    before = states()
    page = asked(researcher, verb, ids).content.decode()
    assert states() == before
    named = {name for name in before if f">{name}</a>" in page}
    assert named == ({"queued", "running"} if verb == "cancel" else set(before))
    assert ("1 other that you ticked has finished" in page) is (verb == "cancel")
    assert 'method="post"' in page


def test_what_has_not_finished_is_cancelled_and_the_rest_is_told(
    researcher: Client, owner: User, shelf: Shelf, sent: list[int]
) -> None:
    ids = three(owner, shelf)
    told = said(researcher, "cancel", ids)
    assert told == "2 jobs were cancelled. 1 had finished already."
    assert states() == {"queued": "cancelled", "running": "cancelled", "completed": "completed"}


def test_all_that_is_ticked_is_deleted_with_its_bytes(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    ids = three(owner, shelf)
    kept = job_in(Status.COMPLETED, owner=owner, shelf=shelf, name="kept")
    assert said(researcher, "delete", ids) == "3 jobs were deleted, with all files."
    assert states() == {"kept": "completed"}
    assert {at.key.split("/")[1] for at in shelf.held} == {str(kept.pk)}


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_another_users_jobs_are_neither_named_nor_changed(
    outsider: Client, stranger: User, owner: User, shelf: Shelf, verb: str
) -> None:
    ids = three(owner, shelf)
    own = job_in(Status.QUEUED, owner=stranger, shelf=shelf, name="mine")
    before = states()
    page = asked(outsider, verb, [*ids, own.pk]).content.decode()
    assert ">mine</a>" in page
    assert ">running</a>" not in page
    assert said(outsider, verb, ids).startswith("Please tick")
    assert states() == before
    said(outsider, verb, [*ids, own.pk])
    assert {name for name, state in before.items() if states().get(name) != state} == {"mine"}


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"verb": "cancel"},
        {"verb": "restart", "job": [1]},
        {"verb": "delete", "job": ["x"]},
        {"verb": "delete", "job": ["-1"]},
        {"verb": "delete", "job": ["9" * 30]},
        {"verb": "delete", "job": list(range(1, MOST_AT_ONCE + 2))},
    ],
)
def test_what_makes_no_sense_changes_nothing(
    researcher: Client, owner: User, shelf: Shelf, sent: dict[str, Any]
) -> None:
    three(owner, shelf)
    before = states()
    for answer in (researcher.get(CHOSEN, sent), researcher.post(CHOSEN, sent)):
        assert answer["Location"] == "/jobs/?"
    assert states() == before


def test_one_comes_back_to_the_list_that_one_came_from_and_nowhere_else(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    ids = three(owner, shelf)
    place = {"show": "active", "q": "a b&c", "since": "2026-01-02", "before": 10**6}
    page = asked(researcher, "delete", ids, **place).content.decode()
    for name, part in place.items():
        shown = str(part).replace("&", "&amp;")
        assert f'<input type="hidden" name="{name}" value="{shown}">' in page
    sent: dict[str, Any] = {"verb": "delete", "job": ids, **place, "next": "https://example.org/"}
    address = researcher.post(CHOSEN, sent)["Location"]
    assert address.startswith("/jobs/?")
    back = QueryDict(address.partition("?")[2]).dict()
    assert back == {name: str(part) for name, part in place.items()}


def test_jobs_that_are_gone_by_now_are_not_counted(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    ids = three(owner, shelf)
    Job.objects.filter(pk=ids[0]).delete()
    assert said(researcher, "delete", ids) == "2 jobs were deleted, with all files."
    assert said(researcher, "delete", ids).startswith("Please tick")


def test_storage_that_is_down_is_asked_once_and_not_once_a_job(
    researcher: Client, owner: User, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = three(owner, shelf)
    asked = 0

    def down(*_: object) -> None:
        nonlocal asked
        asked += 1
        raise StorageUnavailable("S3")

    monkeypatch.setattr("gas.storage.objects.delete", down)
    assert said(researcher, "delete", ids).startswith("3 jobs")
    assert asked == 1
    assert states() == {}


def test_a_deleted_jobs_file_stays_while_another_job_uses_it(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    first = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    shelf.take_in(first.upload, b"##fileformat=VCFv4.2\n")
    second = Job.objects.create(owner=owner, upload=first.upload, name="again", bundle="b")
    said(researcher, "delete", [first.pk])
    assert inputs(first.upload.key) in shelf.held
    said(researcher, "delete", [second.pk])
    assert shelf.held == {}
