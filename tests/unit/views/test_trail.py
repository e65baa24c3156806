"""Each request has an id of ours: in its answer, in its lines of the log, in what it shows."""

import logging
from datetime import timedelta

import pytest
from django.test import Client

from gas.logs import context
from gas.models import Scope, Status, User
from gas.services import api_tokens
from tests.seams.lines import Log
from tests.stage import Shelf, job_in

pytestmark = pytest.mark.django_db

OUTER = "0a1b2c3d-1111-4222-8333-444455556666"


def test_an_answer_names_the_request_as_the_log_does(researcher: Client, log: Log) -> None:
    answer = researcher.get("/jobs/")
    [line] = log.about(answer["X-Request-ID"])
    assert (line["event"], line["status"], line["method"]) == ("GET jobs/ 200", 200, "GET")
    assert line["seconds"] > 0


def test_no_two_requests_have_one_id(client: Client) -> None:
    assert client.get("/")["X-Request-ID"] != client.get("/")["X-Request-ID"]


def test_an_id_that_a_client_sends_is_written_beside_ours(client: Client, log: Log) -> None:
    answer = client.get("/", headers={"X-Request-ID": OUTER})
    assert answer["X-Request-ID"] != OUTER
    assert log.about(answer["X-Request-ID"])[0]["outer"] == OUTER


def test_the_trace_of_a_proxy_is_written_beside_ours(client: Client, log: Log) -> None:
    client.get("/", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    assert log.lines[-1]["outer"] == "ab" * 16


@pytest.mark.parametrize("sent", ["x", "a b" * 9, "f" * 65, "{}", "-" * 30, "ü" * 20, "a_b" * 9])
def test_an_id_in_no_known_form_is_dropped(client: Client, log: Log, sent: str) -> None:
    client.get("/", headers={"X-Request-ID": sent, "traceparent": sent})
    assert "outer" not in log.lines[-1]


def test_a_line_names_the_account_and_the_job_by_number_and_the_address_by_its_pattern(
    researcher: Client, owner: User, shelf: Shelf, log: Log
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    researcher.get(f"/jobs/{job.pk}/")
    line = log.lines[-1]
    assert (line["user"], line["job"], line["route"]) == (owner.pk, job.pk, "jobs/<int:job_id>/")


def test_a_line_of_the_api_names_the_account_by_number_and_not_the_token(
    client: Client, owner: User, log: Log
) -> None:
    issued = api_tokens.issue(user=owner, name="a", scopes=[Scope.READ], lifetime=timedelta(1))
    client.get("/api/v1/jobs", headers={"Authorization": f"Bearer {issued.secret}"})
    assert (log.lines[-1]["status"], log.lines[-1]["user"]) == (200, owner.pk)
    assert issued.secret not in log.text


def test_what_a_page_logs_bears_its_id(
    researcher: Client, owner: User, shelf: Shelf, log: Log
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    answer = researcher.post(f"/jobs/{job.pk}/delete/", {"sure": "yes", "confirm": "yes"})
    told = [line["logger"] for line in log.about(answer["X-Request-ID"])]
    assert "gas.views.trail" in told
    assert {line.get("correlation") for line in log.lines} == {answer["X-Request-ID"]}


@pytest.mark.parametrize("path", ["/no/such/page/", "/jobs/999999/"])
def test_an_error_page_shows_the_id(researcher: Client, path: str) -> None:
    answer = researcher.get(path)
    assert f"<code>{answer['X-Request-ID']}</code>" in answer.content.decode()


def test_a_failure_of_ours_shows_the_id_that_leads_to_its_cause(
    researcher: Client,
    owner: User,
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    monkeypatch.setattr("gas.storage.objects.read_start", None)
    researcher.raise_request_exception = False
    answer = researcher.get(f"/jobs/{job.pk}/log/")
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in answer.content.decode()
    [cause] = [line for line in log.about(answer["X-Request-ID"]) if "exception" in line]
    assert cause["level"] == "error"
    assert cause["exception"].startswith("TypeError\n")


def test_a_problem_document_names_the_id(client: Client) -> None:
    answer = client.get("/api/v1/jobs")
    assert answer.status_code == 401
    assert answer.json()["correlation"] == answer["X-Request-ID"]


def test_nothing_of_a_request_is_left_for_the_next_in_its_thread(client: Client) -> None:
    client.get("/")
    assert context.correlation() == ""


def test_style_sheets_and_scripts_are_not_logged(client: Client, log: Log) -> None:
    client.get("/static/css/components.css")
    assert [line for line in log.lines if line["logger"].startswith("gas")] == []


def test_a_level_above_info_costs_no_line(client: Client, log: Log) -> None:
    logging.getLogger().setLevel("WARNING")
    client.get("/")
    assert log.text == ""
