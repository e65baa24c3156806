"""What the page of a job offers and tells in each state, and what it costs."""

import json
import re
import shlex
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.core.checks import Error
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from annotator import signing
from gas.checks import provenance_key
from gas.models import Job, JobEvent, ResultFile, Status, User
from gas.services import provenance
from gas.services.queue import FEWEST
from tests.stage import OUTPUTS, Shelf, job_in

pytestmark = pytest.mark.django_db

MADE = {
    "annotator": {"version": "0.1.0", "commit": "f4dd2cadb1bf0e4a8071895fadfec314d6beb6a3"},
    "engine": {"name": "bcftools csq 1.24 (htslib 1.24)"},
    "bundle": {
        "assembly": "GRCh38",
        "genes": "RefSeq",
        "sources": [{"name": "dbSNP", "release": "149"}, {"name": "ClinVar", "release": "2026"}],
    },
    "input": {"format": "vcf", "bytes": 6230, "sha256": 64 * "a"},
    "seconds": {"consequences": 1.5, "of a later release": 2},
    "peak_memory_mb": 93,
}


@pytest.fixture(autouse=True)
def fresh_key() -> None:
    provenance.public_key.cache_clear()


@pytest.fixture
def key(tmp_path: Path, settings: Settings) -> Path:
    """A private key, whose public half the site serves."""
    private = Ed25519PrivateKey.generate()
    file = tmp_path / "gas.pem"
    file.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    settings.PROVENANCE_PUBLIC_KEY = tmp_path / "gas.pub"
    settings.PROVENANCE_PUBLIC_KEY.write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return file


def signed(document: dict[str, object], key: Path) -> bytes:
    file = key.with_name("provenance.json")
    file.write_text(json.dumps(document))
    signing.sign(file, key)
    return file.read_bytes()


def page_of(client: Client, job: Job) -> str:
    return client.get(f"/jobs/{job.pk}/").content.decode()


def made_as(document: bytes) -> dict[str, bytes]:
    return {**OUTPUTS, ResultFile.Kind.PROVENANCE: document}


def text_of(page: str, part: str) -> str:
    """The words of an element, by its id."""
    inside = page.partition(f'id="{part}"')[2].partition(">")[2].partition("</pre>")[0]
    return inside.replace("&#x27;", "'").replace("&quot;", '"').replace("&amp;", "&").strip()


@pytest.mark.parametrize("status", Status)
def test_the_page_of_a_job_takes_at_most_six_queries(
    researcher: Client,
    owner: User,
    shelf: Shelf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    status: Status,
) -> None:
    for _ in range(FEWEST):
        job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    soon = timezone.now() + timedelta(minutes=1)
    job_in(Status.RUNNING, owner=owner, shelf=shelf, lease_until=soon)
    job = job_in(status, owner=owner, shelf=shelf)
    with django_assert_max_num_queries(6):
        page = page_of(researcher, job)
    assert ("it begins in" in page) is (status is Status.QUEUED)
    with django_assert_max_num_queries(6):
        researcher.get(f"/jobs/{job.pk}/live/")


class Focusable(HTMLParser):
    """Collects what a keyboard reaches, and has no id to be found again by."""

    def __init__(self) -> None:
        super().__init__()
        self.nameless: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        reached = tag in {"a", "button", "summary", "select", "textarea"} or "tabindex" in given
        reached |= tag == "input" and given.get("type") != "hidden"
        if reached and "id" not in given:
            self.nameless.append(f"{tag} {given}")


@pytest.mark.parametrize("status", Status)
def test_whatever_has_the_focus_is_found_again_when_the_page_renews_itself(
    researcher: Client, owner: User, shelf: Shelf, status: Status
) -> None:
    job = job_in(status, owner=owner, shelf=shelf)
    for path in (f"/jobs/{job.pk}/live/", "/jobs/"):
        page = researcher.get(path).content.decode()
        part_of_it = page.partition('<div id="job-list"')[2].partition("</main>")[0]
        reader = Focusable()
        reader.feed(part_of_it or page)
        assert reader.nameless == [], path


# --- running again --------------------------------------------------------------------------------

UNFINISHED = {Status.QUEUED, Status.RUNNING}


@pytest.mark.parametrize("status", Status)
def test_what_has_finished_can_be_run_again_and_leads_to_the_new_job(
    researcher: Client, owner: User, shelf: Shelf, sent: list[int], status: Status
) -> None:
    job = job_in(status, owner=owner, shelf=shelf)
    assert (f'action="/jobs/{job.pk}/again/"' in page_of(researcher, job)) is (
        status not in UNFINISHED
    )
    answer = researcher.post(f"/jobs/{job.pk}/again/", {"newest": job.pk})
    if status in UNFINISHED:
        assert answer["Location"] == f"/jobs/{job.pk}/"
        assert "has not finished yet" in page_of(researcher, job)
        assert Job.objects.get() == job
        return
    again = Job.objects.exclude(pk=job.pk).get()
    assert answer["Location"] == f"/jobs/{again.pk}/"
    assert f'href="/jobs/{again.pk}/">job {again.pk}</a>' in page_of(researcher, job)


@pytest.mark.parametrize("newest", [{}, {"newest": "x"}, {"newest": "-3"}])
def test_a_button_pressed_twice_makes_one_job(
    researcher: Client, owner: User, shelf: Shelf, newest: dict[str, str]
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    first, second = (researcher.post(f"/jobs/{job.pk}/again/", newest) for _ in range(2))
    assert first["Location"] == second["Location"] != f"/jobs/{job.pk}/"
    assert Job.objects.count() == 2


def test_what_the_plan_refuses_is_told_on_the_page(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    owner.plan.max_active_jobs = 0
    owner.plan.save()
    job = job_in(Status.CANCELLED, owner=owner, shelf=shelf)
    page = researcher.post(f"/jobs/{job.pk}/again/", follow=True).content.decode()
    assert "which is what your plan allows" in page
    assert Job.objects.get() == job


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.COMPLETED])
def test_a_job_whose_file_is_gone_says_so_instead_of_offering_a_button(
    researcher: Client, owner: User, shelf: Shelf, status: Status
) -> None:
    job = job_in(status, owner=owner, shelf=shelf)
    job.upload.removed_at = timezone.now()
    job.upload.save()
    page = page_of(researcher, job)
    assert "/again/" not in page
    assert "gone" in page or "no longer kept" in page


# --- archive and back -----------------------------------------------------------------------------


@pytest.mark.parametrize(("ago", "said"), [(1, ": until "), (90, "This one takes longer")])
def test_a_thaw_tells_until_when_and_that_it_is_late(
    researcher: Client, owner: User, shelf: Shelf, ago: int, said: str
) -> None:
    job = job_in(Status.THAWING, owner=owner, shelf=shelf)
    asked_at = timezone.now() - timedelta(minutes=ago)
    JobEvent.objects.create(job=job, actor="w", before="archived", after="thawing", at=asked_at)
    assert said in page_of(researcher, job)


def test_results_that_came_back_say_so(researcher: Client, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    assert "ready again" not in page_of(researcher, job)
    JobEvent.objects.create(job=job, actor="w", before="restoring", after="completed")
    page = page_of(researcher, job)
    assert "Results are ready again" in page
    assert "compared byte by byte" in page


# --- provenance -----------------------------------------------------------------------------------


def test_the_page_tells_what_made_the_results(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    outputs = made_as(json.dumps(MADE).encode())
    page = page_of(researcher, job_in(Status.ARCHIVED, owner=owner, shelf=shelf, outputs=outputs))
    for said in (
        *("bcftools csq 1.24", "0.1.0 (f4dd2cadb1bf)", "dbSNP 149, ClinVar 2026", 64 * "a"),
        *("Finding consequences 1.50 s", "of a later release 2.00 s", "93 MB", "is not signed"),
    ):
        assert said in page


def test_a_provenance_of_an_older_release_is_shown_without_what_it_lacks(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    page = page_of(researcher, job_in(Status.COMPLETED, owner=owner, shelf=shelf))
    assert "How it was made" in page
    assert "<dt>Engine</dt>" not in page


@pytest.mark.parametrize(("status", "only"), [(Status.COMPLETED, False), (Status.ARCHIVED, True)])
def test_the_commands_check_the_downloads_by_the_names_they_were_saved_under(
    researcher: Client, owner: User, shelf: Shelf, key: Path, status: Status, only: bool
) -> None:
    hostile = '$(rm -rf ~)\'; echo "`id`" | x'
    job = job_in(status, owner=owner, shelf=shelf, name=hostile)
    curl, verify = text_of(page_of(researcher, job), "verify").splitlines()
    assert shlex.split(curl)[-1].endswith("/provenance-key.pem")
    words = shlex.split(verify)
    assert words[:4] == ["python", "-m", "annotator", "verify-provenance"]
    saved = researcher.get(f"/jobs/{job.pk}/files/provenance/")["Location"]
    assert words[4] == "$(rm -rf ~)'; echo _`id`_ _ x.provenance.json"
    assert "provenance.json" in saved
    assert words[-2:] == ["--key", "provenance-key.pem"]
    assert ("--only" in words) is only
    if only:
        assert words[words.index("--only") + 1] == "skipped.tsv,summary.json,annotation.log"


def test_a_signature_is_told_by_whose_it_is(
    researcher: Client, owner: User, shelf: Shelf, key: Path, settings: Settings
) -> None:
    ours = made_as(signed(MADE, key))
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, outputs=ours)
    assert "this service's key" in page_of(researcher, job)
    changed = ours[ResultFile.Kind.PROVENANCE].replace(b"dbSNP", b"dbSNQ")
    forged = job_in(Status.COMPLETED, owner=owner, shelf=shelf, outputs=made_as(changed))
    assert "by a key that is not" in page_of(researcher, forged)
    settings.PROVENANCE_PUBLIC_KEY = None
    assert "gives away no key" in page_of(researcher, job)


def test_everybody_gets_the_key_and_never_the_private_one(
    client: Client, key: Path, settings: Settings
) -> None:
    answer = client.get("/provenance-key.pem")
    assert answer.content == key.with_suffix(".pub").read_bytes()
    assert answer["Content-Type"] == "application/x-pem-file"
    assert re.search(rb"PUBLIC KEY", answer.content)
    settings.PROVENANCE_PUBLIC_KEY = None
    provenance.public_key.cache_clear()
    assert client.get("/provenance-key.pem").status_code == 404


def test_a_public_key_that_is_none_is_found_at_the_start(key: Path, settings: Settings) -> None:
    assert provenance_key(None) == []
    settings.PROVENANCE_PUBLIC_KEY = key
    [error] = provenance_key(None)
    assert isinstance(error, Error)
    assert "GAS_PROVENANCE_PUBLIC_KEY" in error.msg
    settings.PROVENANCE_PUBLIC_KEY = None
    assert provenance_key(None) == []
