"""What must not stand in a log does not, whoever writes it and wherever it was planted."""

import json
import logging
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, OperationalError
from django.test import Client

from annotator.errors import AnnotatorFailed
from gas.logs import lines
from gas.logs.redaction import Redaction, named
from gas.models import Status, User
from gas.storage import objects
from gas.storage.errors import StorageUnavailable
from tests.seams.lines import SECRET_SETTING, Log
from tests.seams.world import VCF, World
from tests.stage import Shelf, job_in

MAIL = "planted.person@planted.example"
TOKEN = "gas_Pl4ntedPl4ntedPl4ntedPl4ntedPl4ntedPl4nted1"
STRIPE = "sk_live_Pl4nted51HxPl4nted"
SIGNATURE = "5ba1aceb5ab1eplanted00ff"
LINK = (
    f"https://s3.example.org/gas-inputs/1/x?X-Amz-Credential=AKIAPLANTEDPLANTED00%2F2026"
    f"&X-Amz-Signature={SIGNATURE}"
)
SAMPLE = "PLANTED-SAMPLE"
GENOTYPE = "0/1:99:35"
RECORD = f"chr16\t284492\t.\tG\tA\t50\tPASS\t{SAMPLE}=1\tGT:GQ:DP\t{GENOTYPE}"
FILE = "planted-cohort.vcf.gz"
PLANTED = (
    *(MAIL, TOKEN, STRIPE, SIGNATURE, "AKIAPLANTED", SAMPLE, GENOTYPE, "284492", FILE),
    SECRET_SETTING,
)


def found(text: str) -> list[str]:
    """What was planted and stands in a text."""
    return [planted for planted in PLANTED if planted in text]


@pytest.fixture(params=["json", "line"])
def everything(log: Log, request: pytest.FixtureRequest) -> Log:
    """All lines of all levels, in each of the forms that they are written in."""
    log.handler.setFormatter(lines.formatter(request.param, [SECRET_SETTING]))
    logging.getLogger().setLevel("DEBUG")
    return log


@pytest.mark.parametrize(
    "told",
    [
        f"for {MAIL}, who",
        f"<{MAIL}>",
        f"Bearer {TOKEN}",
        f"authorization: Bearer {TOKEN}",
        f"a key {STRIPE}",
        f"GET {LINK} 200",
        f"{{'Authorization': '{TOKEN}', 'x': 1}}",
        f"signature={SIGNATURE}&x=1",
        f'{{"client_secret": "{SIGNATURE}"}}',
        f"Cookie: sessionid={SIGNATURE}; csrftoken=abc",
        f"line 12: {RECORD}",
        f"line 12: {RECORD!r}",
        f"line 12: {RECORD.encode()!r}",
        f"a sample has {GENOTYPE} there",
        "at chr16:284492 G>A",
        "at 16:284492",
        f"postgresql://gas:{SIGNATURE}@db.example.org/gas",
        f"the setting is {SECRET_SETTING}.",
        f"Deleted.  Wrong?\n\nThe full contents of the message body was: {FILE}",
        f"Unregistered 'x'.\n\nThe full contents of the message body was:\n{FILE}",
        f"Can't decode message body: 'x'\n\nbody: {FILE}",
    ],
)
def test_what_has_a_known_form_is_taken_out(told: str) -> None:
    assert found(Redaction([SECRET_SETTING]).clean(told)) == []


@pytest.mark.parametrize(
    "told",
    [
        "GET jobs/<int:job_id>/ 200",
        "job 7 is in trouble",
        "queue annotate cannot be polled, trying again",
        "results/12/3/annotated.vcf.gz is still there",
        "inputs/4/0a1b2c3d-1111-4222-8333-444455556666/input.vcf.gz: NoSuchKey (404)",
        "this worker answers on port 8000 of 127.0.0.1:8000 since 10:42:03",
        "Globus did not revoke a token: status 500",
        "annotate of job 12 is tried again: 3/4 is no genotype here"[:37],
        "3f0c9a4be1d24c6f8a7b5c4d3e2f1a0b",
        "swept: 2 jobs without a message, 1 dead letters",
    ],
)
def test_what_operators_need_stays(told: str) -> None:
    assert Redaction([]).clean(told) == told


def test_a_long_text_is_cut() -> None:
    assert len(Redaction([]).clean("word " * 10_000)) < 5000


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(RECORD), "ValueError"),
        (KeyError(SAMPLE), "KeyError"),
        (IntegrityError(f"Key (email)=({MAIL}) exists"), "django.db.utils.IntegrityError"),
        (
            ClientError({"Error": {"Code": "X", "Message": MAIL}}, "SendEmail"),
            "botocore.exceptions.ClientError X",
        ),
        (
            EndpointConnectionError(endpoint_url=LINK),
            "botocore.exceptions.EndpointConnectionError",
        ),
        (AnnotatorFailed(f"ended with 1: {RECORD}"), "annotator.errors.AnnotatorFailed"),
        (OperationalError("database is locked"), "OperationalError: database is locked"),
        (StorageUnavailable("s3://gas-results: SlowDown (503)"), None),
    ],
)
def test_an_exception_tells_its_words_only_if_they_quote_nobody(
    error: Exception, told: str | None
) -> None:
    assert named(error) == (told or f"StorageUnavailable: {error}")


def broken(quoting: str) -> Callable[..., bytes]:
    """A function that fails, with what it had before it in the words of its exception."""

    def fail(*_: object) -> bytes:
        record = quoting
        try:
            raise KeyError(record)
        except KeyError as error:
            raise RuntimeError(f"cannot read {record} of {vars()}") from error

    return fail


@pytest.mark.django_db
def test_a_view_that_breaks_tells_where_and_quotes_nothing(
    researcher: Client,
    owner: User,
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    everything: Log,
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, filename=FILE, name=FILE)
    monkeypatch.setattr(objects, "read_start", broken(f"{RECORD} {MAIL} {TOKEN} {LINK} {FILE}"))
    researcher.raise_request_exception = False
    assert researcher.get(f"/jobs/{job.pk}/log/?token={TOKEN}").status_code == 500
    assert "RuntimeError" in everything.text
    assert "test_redaction.py" in everything.text
    assert found(everything.text) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        f"/{MAIL}/",
        f"/jobs/?next={TOKEN}",
        f"/mails/decline/{TOKEN}/",
        f"/files/{FILE}",
        f"/jobs/?q={FILE}&{LINK.partition('?')[2]}",
    ],
)
def test_what_a_visitor_writes_into_an_address_is_not_repeated(
    researcher: Client, everything: Log, path: str
) -> None:
    researcher.get(path)
    assert everything.text
    assert found(everything.text) == []


@pytest.mark.django_db
def test_what_a_visitor_sends_in_headers_is_not_repeated(
    researcher: Client, everything: Log
) -> None:
    sent = {
        "Authorization": f"Bearer {TOKEN}",
        "X-Request-ID": MAIL,
        "traceparent": f"00-{TOKEN}-01",
        "User-Agent": MAIL,
        "Referer": LINK,
        "X-Forwarded-For": MAIL,
        "Cookie": f"csrftoken={TOKEN}",
        "Stripe-Signature": SIGNATURE,
    }
    researcher.get("/jobs/", headers=sent)
    researcher.get("/", headers={"Host": f"{SAMPLE}.planted.example"})
    researcher.post("/billing/webhook/", "{}", content_type="application/json", headers=sent)
    assert everything.text
    assert found(everything.text) == []


@pytest.mark.django_db
def test_what_a_form_holds_is_not_repeated(researcher: Client, everything: Log) -> None:
    file = SimpleUploadedFile(FILE, f"{VCF.decode()}{RECORD}\n".encode())
    researcher.post("/uploads/", {"filename": FILE, "text": RECORD, "name": MAIL, "file": file})
    forged = json.dumps({"type": "x", "data": {"customer_email": MAIL, "key": STRIPE}})
    researcher.post("/billing/webhook/", forged, content_type="application/json")
    assert everything.text
    assert found(everything.text) == []


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError(f"{RECORD} {MAIL} {TOKEN} {FILE}"),
        AnnotatorFailed(f"the annotator ended with 70: {RECORD} | {SAMPLE} has {GENOTYPE}"),
        StorageUnavailable(f"{LINK} {MAIL}"),
        OSError(28, "No space left", f"/tmp/{FILE}"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_task_that_breaks_tells_where_and_quotes_nothing(
    world: World, owner: User, everything: Log, fault: Exception
) -> None:
    owner.email, owner.first_name = MAIL, SAMPLE
    owner.save()
    job = world.submitted(owner, content=VCF + RECORD.encode())
    job.upload.filename = job.name = FILE
    job.upload.save()
    job.save()
    world.child.fault = fault
    world.hurry(job)
    world.an_hour_passes()
    world.broker.deliver("annotate")
    assert "annotate" in everything.text
    assert found(everything.text) == []


def test_a_line_cannot_be_forged_by_what_is_in_it(log: Log) -> None:
    for style in ("json", "line"):
        log.handler.setFormatter(lines.formatter(style, []))
        logging.getLogger("gas.x").warning("a\n2026 CRITICAL forged \x1b[2J %s", "b\r\nc")
    assert len(log.text.splitlines()) == 2
    assert "\x1b" not in log.text
