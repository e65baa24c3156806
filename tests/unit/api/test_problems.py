"""Every error is a problem (RFC 9457), whichever part of the site meets it."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from gas import problems
from gas.billing import BillingUnavailable
from gas.models import Maintenance, Status, User
from gas.problems import KINDS, Kind
from gas.services import holdings, maintenance
from gas.storage.errors import StorageUnavailable
from tests.stage import Shelf, job_in
from tests.unit.api.calls import DIGEST, ROOT

pytestmark = pytest.mark.django_db

JSON = "application/json"


def told(answer: Any) -> dict[str, object]:
    """What a problem says, once it is shown to be one."""
    length = str(len(answer.content))
    assert answer.headers["Content-Type"] == problems.MEDIA_TYPE
    assert answer.headers.get("Content-Length", length) == length
    found: dict[str, object] = answer.json()
    assert found["status"] == answer.status_code
    assert {"type", "title", "status", "detail"} <= found.keys()
    return found


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("get", "/nothing", problems.NOT_FOUND),
        ("get", "/", problems.NOT_FOUND),
        ("get", "/me/", problems.NOT_FOUND),
        ("get", "/jobs/1%00", problems.INVALID),
        ("get", "/jobs/99999999999999999999999", problems.INVALID),
        ("get", "/jobs/-1", problems.INVALID),
        ("get", "/jobs/999", problems.NOT_FOUND),
        ("get", "/uploads/1", problems.INVALID),
        ("get", "/bundles/%FF%FE", problems.NOT_FOUND),
        ("get", "/jobs?q=%00", problems.INVALID),
        ("get", "/jobs?q=%ED%A0%80&status=running", None),
        ("get", "/jobs?since=9999-12-31", problems.INVALID),
        ("get", "/jobs?until=0001-01-01", problems.INVALID),
        ("get", "/jobs?status=lost", problems.INVALID),
        ("get", "/jobs?limit=101", problems.INVALID),
        ("get", "/jobs?cursor=%00%FF", problems.INVALID),
        ("put", "/jobs", problems.METHOD_NOT_ALLOWED),
        ("post", "/openapi.json", problems.METHOD_NOT_ALLOWED),
        ("delete", "/tokens/999", problems.NOT_FOUND),
    ],
)
def test_an_address_that_makes_no_sense_is_a_problem(
    program: Client, method: str, path: str, kind: Kind | None
) -> None:
    answer = getattr(program, method)(f"{ROOT}{path}")
    if kind is None:
        assert answer.status_code == 200
        return
    assert told(answer)["type"] == kind.address
    assert answer.status_code == kind.status


def test_what_a_method_may_be_is_told(program: Client) -> None:
    assert set(program.put(f"{ROOT}/jobs").headers["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize(
    ("body", "media", "kind"),
    [
        ("{", JSON, problems.MALFORMED),
        (b"\xff\xfe\x00", JSON, problems.MALFORMED),
        ("[" * 100_000, JSON, problems.MALFORMED),
        ("9" * 5_000, JSON, problems.MALFORMED),
        ("[]", JSON, problems.INVALID),
        ("null", JSON, problems.INVALID),
        ("{}", JSON, problems.INVALID),
        ('{"example": 1e999}', JSON, problems.INVALID),
        ('{"example": 1}', JSON, problems.INVALID),
        ('{"example": "yes"}', JSON, problems.INVALID),
        ('{"example": true, "name": "\\ud800"}', JSON, problems.INVALID),
        ('{"upload": "' + "0" * 32 + '"}', JSON, problems.NOT_FOUND),
        ('{"example": true}', "text/plain", problems.WRONG_MEDIA_TYPE),
        ("example=true", "application/x-www-form-urlencoded", problems.WRONG_MEDIA_TYPE),
        ('{"name": "' + "x" * 3_000_000 + '"}', JSON, problems.TOO_LARGE),
    ],
    ids=range(15),
)
def test_a_body_that_makes_no_sense_is_a_problem(
    program: Client, body: str | bytes, media: str, kind: Kind
) -> None:
    answer = program.post(f"{ROOT}/jobs", body, content_type=media)
    assert told(answer)["type"] == kind.address
    assert answer.status_code == kind.status


def test_every_field_that_is_wrong_is_pointed_at_and_nothing_sent_is_repeated(
    program: Client,
) -> None:
    body = {"upload": "no-uuid-of-ours", "notes": "x" * 2001, "a/b~c": 1}
    found = told(program.post(f"{ROOT}/jobs", body, JSON))
    errors = found["errors"]
    assert isinstance(errors, list)
    assert {each["pointer"] for each in errors} == {"/upload", "/notes", "/a~1b~0c"}
    assert "no-uuid-of-ours" not in str(found)
    parts = {"parts": [{"number": 1, "sha256": DIGEST}, {"number": 0, "sha256": "x"}]}
    address = f"{ROOT}/uploads/{'0' * 8}-0000-4000-8000-{'0' * 12}/parts"
    pointed = told(program.post(address, parts, JSON))["errors"]
    assert isinstance(pointed, list)
    assert {each["pointer"] for each in pointed} == {"/parts/1/number", "/parts/1/sha256"}


def test_a_wrong_parameter_is_named(program: Client) -> None:
    errors = told(program.get(f"{ROOT}/jobs?limit=x&status=lost"))["errors"]
    assert isinstance(errors, list)
    assert {each["parameter"] for each in errors} == {"limit", "status"}


@pytest.mark.parametrize(
    "header",
    [
        {"Accept": "text/html"},
        {"Accept": "\xff\x00;q=x"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Authorization": "Basic eDp5"},
        {"If-None-Match": 'W/"\xff", junk'},
        {"Content-Type": "multipart/form-data; boundary=\xff"},
        {"X-Forwarded-For": "1.2.3.4, \x00"},
        {"Accept-Encoding": "\x00"},
        {"HX-Request": "true"},
    ],
    ids=range(9),
)
def test_no_header_breaks_anything(program: Client, header: dict[str, str]) -> None:
    answer = program.get(f"{ROOT}/bundles", headers=header)
    assert answer.status_code in (200, 401)


@pytest.mark.parametrize("host", ["evil.example.org", "a b", "[::1", "127.0.0.1:x", ""])
def test_another_host_is_refused_as_a_problem(program: Client, host: str) -> None:
    answer = program.get(f"{ROOT}/me", HTTP_HOST=host)
    if answer.status_code != 200:  # of no name at all the server's own is taken
        assert told(answer)["type"] == problems.MALFORMED.address


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (OperationalError("server closed the connection"), problems.UNAVAILABLE),
        (InterfaceError("connection already closed"), problems.UNAVAILABLE),
        (StorageUnavailable("s3://secret-bucket"), problems.UNAVAILABLE),
        (BillingUnavailable("x"), problems.UNAVAILABLE),
        (RuntimeError("a secret"), problems.SERVER_ERROR),
    ],
    ids=["database", "connection", "storage", "billing", "fault"],
)
def test_what_is_away_and_what_breaks_is_told_without_a_word_of_how(
    program: Client, monkeypatch: pytest.MonkeyPatch, failure: Exception, kind: Kind
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(holdings, "of", fail)
    answer = program.get(f"{ROOT}/subscription")
    assert told(answer)["type"] == kind.address
    assert answer.status_code == kind.status
    assert ("Retry-After" in answer.headers) is (answer.status_code == 503)
    assert "secret" not in answer.content.decode()


def test_a_database_that_is_away_is_told_to_who_has_no_token_yet(
    program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("gas.services.api_tokens.bearer", fail)
    answer = program.get(f"{ROOT}/me")
    assert told(answer)["type"] == problems.UNAVAILABLE.address


def test_during_maintenance_nothing_new_is_taken_and_all_can_be_read(
    program: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    maintenance.begin(actor="operator", message="We move.")
    try:
        for path, body in (
            ("/uploads", {"filename": "x.vcf"}),
            ("/jobs", {"example": True}),
            (f"/jobs/{job.pk}/rerun", {}),
        ):
            answer = program.post(f"{ROOT}{path}", body, JSON)
            assert told(answer)["type"] == problems.MAINTENANCE.address
            assert int(answer.headers["Retry-After"]) > 0
        assert program.get(f"{ROOT}/jobs/{job.pk}").status_code == 200
    finally:
        Maintenance.objects.all().delete()
        maintenance.forget()


def test_the_address_of_each_kind_leads_to_its_section_of_the_help(client: Client) -> None:
    page = client.get(problems.PAGE).content.decode()
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    for kind in KINDS:
        assert f'id="{kind.name}"' in page
        assert kind.address.endswith(f"{problems.PAGE}#{kind.name}")


def test_pages_keep_their_own_errors(client: Client) -> None:
    assert client.get("/nothing/").headers["Content-Type"].startswith("text/html")
