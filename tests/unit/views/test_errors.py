"""Refusals and failures: a page each, and no word of the inside."""

import logging
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client, RequestFactory

from gas.models import Status, User
from gas.storage import objects
from gas.storage.errors import AccessRefused, StorageUnavailable
from gas.views import errors
from tests.stage import Shelf, job_in


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.CRITICAL):
        yield


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 429, 500, 503])
def test_every_status_has_words_and_says_what_to_do_next(status: int) -> None:
    answer = errors.page(RequestFactory().get("/"), status)
    assert answer.status_code == status
    title, sentence, steps = errors.SENTENCES[status]
    told = unescape(answer.content.decode())
    assert title in told
    assert sentence in told
    assert steps
    for step in steps:
        assert step.text in told
        assert not step.link or f'<a href="{step.address}">{step.link}</a>' in told


@pytest.mark.parametrize("status", [500, 503])
def test_the_page_of_our_own_failures_needs_no_database(status: int) -> None:
    request = RequestFactory().get("/")  # without a session or a user; no database mark either
    assert errors.page(request, status).status_code == status


@pytest.mark.django_db
def test_a_page_that_does_not_exist(client: Client) -> None:
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


@pytest.mark.django_db
def test_a_button_address_that_is_opened_as_a_page(researcher: Client) -> None:
    answer = researcher.get("/jobs/example/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "only takes a button" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, "django.contrib.auth.backends.ModelBackend")
    answer = client.post("/jobs/example/")
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet")
def test_a_request_that_is_too_large(client: Client) -> None:
    answer = client.post("/billing/webhook/", 3_000_000 * b" ", content_type="text/plain")
    assert answer.status_code == 413
    assert "too much at once" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet")
def test_a_request_for_another_host(client: Client) -> None:
    answer = client.get("/", headers={"Host": "elsewhere.example.org"})
    assert answer.status_code == 400
    assert "elsewhere" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet")
def test_storage_out_of_reach(
    researcher: Client, owner: User, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)

    def fail(*_: object) -> bytes:
        raise StorageUnavailable("s3://gas-results/results/1/1/annotation.log")

    monkeypatch.setattr(objects, "read_start", fail)
    answer = researcher.get(f"/jobs/{job.pk}/log/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "gas-results" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet")
def test_an_unexpected_failure_tells_nothing_of_the_inside(
    researcher: Client, owner: User, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)

    def fail(*_: object) -> bytes:
        raise AccessRefused("s3://gas-results: AccessDenied (403)")

    monkeypatch.setattr(objects, "read_start", fail)
    researcher.raise_request_exception = False
    answer = researcher.get(f"/jobs/{job.pk}/log/")
    assert answer.status_code == 500
    assert "It was not your fault" in answer.content.decode()
    assert "AccessDenied" not in answer.content.decode()


@pytest.mark.django_db
def test_pages_are_kept_by_nobody(researcher: Client, client: Client) -> None:
    for path in ("/", "/jobs/", "/jobs/new/", "/nothing/"):
        assert "no-store" in researcher.get(path)["Cache-Control"]
    assert client.get("/jobs/")["Cache-Control"]


@pytest.mark.django_db
def test_crawlers_are_asked_to_stay_with_the_public_pages(client: Client) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    assert b"Disallow: /jobs/" in answer.content
    assert b"Disallow: /\n" not in answer.content
