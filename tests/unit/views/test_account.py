"""The page of the account, and what can be done on it."""

import io
import json
import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from gas.globus import sessions
from gas.models import (
    AccountEvent,
    JobEvent,
    Notice,
    Scope,
    SignIn,
    Status,
    Topic,
    User,
    WebhookEvent,
)
from gas.services import api_tokens, webhooks
from tests.stage import Shelf, job_in
from tests.unit.views.conftest import signed_in
from tests.unit.views.test_authorisation import DAY

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
SCRIPT = "<script>alert(1)</script>"


def browser(user: User, description: str = FIREFOX) -> Client:
    """A browser that signed in the way people do."""
    client = signed_in(user)
    request = RequestFactory().get("/", headers={"user-agent": description})
    request.session = client.session
    sessions.note(request, user)
    return client


@pytest.fixture
def identities(owner: User) -> None:
    """What Globus said at the last sign-in."""
    linked = [
        {"sub": "1" * 36, "login": "lab@uni.example.org", "email": "", "provider": "University"},
        {"sub": "2" * 36, "login": SCRIPT, "email": "me@example.org", "provider": "ORCID"},
    ]
    said: dict[str, Any] = {
        "sub": owner.username,
        "login": "lab@uni.example.org",
        "first_name": "Free",
        "last_name": "researcher",
        "email": owner.email,
        "organisation": "Institute of Examples",
        "identities": ["1" * 36, "2" * 36],
        "linked": linked,
    }
    SocialAccount.objects.create(user=owner, provider="globus", uid="1", extra_data=said)


@pytest.mark.usefixtures("identities")
def test_the_page_shows_what_globus_says_and_every_linked_identity(owner: User) -> None:
    page = browser(owner).get("/account/").content.decode()
    for said in ("owner@example.org", "Institute of Examples", "lab@uni.example.org", "ORCID"):
        assert said in page
    assert SCRIPT not in page


def test_an_account_of_an_older_release_still_has_a_page(owner: User) -> None:
    kept: dict[str, Any] = {
        "sub": "x",
        "login": "l",
        "first_name": "",
        "last_name": "",
        "email": "",
    }
    kept |= {"organisation": "", "identities": ["x"]}
    SocialAccount.objects.create(user=owner, provider="globus", uid="1", extra_data=kept)
    assert browser(owner).get("/account/").status_code == HTTPStatus.OK


def test_the_page_needs_few_questions(
    owner: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    here = browser(owner)
    for _ in range(3):
        browser(owner, SAFARI)
    with django_assert_max_num_queries(6):
        here.get("/account/")


def test_all_browsers_are_listed_and_this_one_is_marked(owner: User) -> None:
    browser(owner, SAFARI)
    page = browser(owner).get("/account/").content.decode()
    assert "Safari on iPhone" in page
    assert 'Firefox on Linux</strong> <span class="plan-mark">this one' in page


def test_signing_out_everywhere_else_spares_this_browser_and_other_people(
    owner: User, stranger: User
) -> None:
    here, there, theirs = browser(owner), browser(owner, SAFARI), browser(stranger)
    here.post("/account/browsers/")
    assert here.get("/jobs/").status_code == HTTPStatus.OK
    assert there.get("/jobs/").status_code == HTTPStatus.FOUND
    assert theirs.get("/jobs/").status_code == HTTPStatus.OK
    assert "signed out 1 other browser" in AccountEvent.objects.get().what


def test_one_browser_is_signed_out_alone(owner: User) -> None:
    here, there, third = browser(owner), browser(owner, SAFARI), browser(owner)
    which = SignIn.objects.get(session_key=there.session.session_key)
    here.post("/account/browsers/", {"browser": which.pk})
    assert there.get("/jobs/").status_code == HTTPStatus.FOUND
    assert third.get("/jobs/").status_code == HTTPStatus.OK


@pytest.mark.parametrize("which", ["theirs", "0", "-1", "x", "99999999999999999999"])
def test_nobody_signs_out_somebody_else(owner: User, stranger: User, which: str) -> None:
    here, theirs = browser(owner), browser(stranger)
    number = str(stranger.sign_ins.get().pk) if which == "theirs" else which
    here.post("/account/browsers/", {"browser": number})
    assert theirs.get("/jobs/").status_code == HTTPStatus.OK


def test_a_browser_whose_session_is_over_is_not_listed_and_forgotten_at_the_next(
    owner: User,
) -> None:
    gone, here = browser(owner, SAFARI), browser(owner)
    Session.objects.filter(session_key=gone.session.session_key).delete()
    assert "Safari" not in here.get("/account/").content.decode()
    browser(owner)
    assert not SignIn.objects.filter(browser="Safari on iPhone").exists()


@pytest.mark.parametrize(
    ("description", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("curl/8", "A program"),
        (SCRIPT, "A program"),
        ("", "A program"),
    ],
)
def test_a_browser_has_a_short_name(description: str, name: str) -> None:
    assert sessions.browser_name(description) == name


def test_the_choice_of_mails_is_kept_as_a_whole(owner: User) -> None:
    here = browser(owner)
    here.post("/account/mails/", {"topics": [Topic.FAILED, Topic.SUBSCRIPTION]})
    declined = set(owner.declined_topics.values_list("topic", flat=True))
    assert declined == set(Topic) - {Topic.FAILED, Topic.SUBSCRIPTION}
    page = here.get("/account/").content.decode()
    assert 'value="failed" id="topic-failed" checked' in page
    assert 'value="completed" id="topic-completed">' in page


def test_a_choice_that_makes_no_sense_changes_nothing(owner: User) -> None:
    browser(owner).post("/account/mails/", {"topics": ["everything"]})
    assert not owner.declined_topics.exists()


@pytest.fixture
def exported(owner: User, stranger: User, shelf: Shelf) -> Iterator[dict[str, Any]]:
    """What the owner exports, by file."""
    for person in (owner, stranger):
        job = job_in(Status.COMPLETED, owner=person, shelf=shelf, name=f"Trio of {person}")
        job.owe(Notice.Kind.COMPLETED)
        api_tokens.issue(user=person, name="a", scopes=[Scope.READ], lifetime=DAY)
        made = webhooks.add(
            user=person, url=f"https://{person}.example.org", events=webhooks.CHOICES
        ).webhook
        made.owe(WebhookEvent.COMPLETED, job_id=job.pk)
    answer = browser(owner).post("/account/export/")
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="gas-account-')
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name.endswith(".json")]
        yield {name: json.loads(archive.read(name)) for name in names}


def test_an_export_holds_account_jobs_files_history_and_mails(
    exported: dict[str, Any], owner: User
) -> None:
    assert exported["account.json"][0]["email"] == owner.email
    assert [job["name"] for job in exported["jobs.json"]] == ["Trio of owner"]
    assert [event["after"] for event in exported["job_history.json"]][-1] == "completed"
    assert len(exported["files.json"]) == 8
    assert [mail["kind"] for mail in exported["mails.json"]] == ["completed"]
    assert [row["url"] for row in exported["webhooks.json"]] == ["https://owner.example.org"]
    assert [row["event"] for row in exported["webhook_calls.json"]] == ["job.completed"]
    assert exported["browsers.json"][0]["browser"] == "Firefox on Linux"
    assert "exported" in exported["account_history.json"][-1]["what"]


def test_an_export_holds_nothing_of_others_and_no_secret(
    exported: dict[str, Any], owner: User
) -> None:
    everything = json.dumps(exported)
    assert "stranger" not in everything
    assert owner.api_tokens.get().digest not in everything
    assert owner.sign_ins.get().session_key not in everything
    assert "secret" not in exported["webhooks.json"][0]
    assert "password" not in everything


def test_an_export_holds_what_was_typed_and_names_no_staff(owner: User, shelf: Shelf) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, notes="Third try, new kit")
    for actor in (owner.username, "identity-of-staff"):
        JobEvent.objects.create(job=job, actor=actor, before="", after=Status.QUEUED)
    answer = browser(owner).post("/account/export/")
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert json.loads(archive.read("jobs.json"))[0]["notes"] == "Third try, new kit"
        history = json.loads(archive.read("job_history.json"))
    assert [event["by"] for event in history][-2:] == ["owner", "service"]


def test_an_export_is_written_while_it_is_sent(owner: User, shelf: Shelf) -> None:
    for number in range(3):
        job_in(Status.COMPLETED, owner=owner, shelf=shelf, name=f"Job {number}")
    answer = browser(owner).post("/account/export/")
    assert answer.streaming
    assert len(list(answer)) > 30
