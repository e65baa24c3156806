"""The table of variants: what an address asks for, and what gets a sentence."""

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from gas.models import Job, ResultFile, Status, User
from gas.results.errors import TooSlow
from gas.services import results
from gas.storage.errors import ObjectMissing, StorageUnavailable
from gas.storage.ranges import RangedObject
from tests.stage import OUTPUTS, Shelf, job_in
from tests.tables import PLACE, a_row, parquet, sample
from tests.unit.views.variants import a_job, page_of

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>{{ 7|add:7 }}"


@pytest.fixture
def job(owner: User, shelf: Shelf) -> Job:
    return a_job(owner, shelf)


def test_a_page_tells_how_many_variants_and_rows_there_are(researcher: Client, job: Job) -> None:
    alleles = {tuple(map(row.get, PLACE)) for row in sample()}
    page = page_of(researcher, job)
    assert f"{len(alleles)} variants" in page
    assert f"{len(sample())} rows of the table" in page


def test_pages_lead_to_each_other_and_keep_what_was_asked(researcher: Client, job: Job) -> None:
    query, seen = "?impact=HIGH&impact=LOW&sort=-gene", 0
    total = int(re.findall(r">(\d+) variants match", page_of(researcher, job, query))[0])
    for _ in range(9):
        page = page_of(researcher, job, query)
        assert f">{total} variants match" in page
        seen += page.count('<th scope="row"')
        following = re.search(r'id="next" rel="next" href="(\?[^"]+)"', page)
        if following is None:
            break
        query = following[1]
        asked = parse_qs(urlsplit(query).query)
        assert (asked["impact"], asked["sort"]) == (["HIGH", "LOW"], ["-gene"])
    assert seen == total > 50


def test_a_count_is_remembered(
    researcher: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_of(researcher, job, "?gene=PDIA2")
    asked: list[object] = []
    monkeypatch.setattr("gas.results.variants._Tally.rest", lambda tally: asked.append(tally))
    page_of(researcher, job, "?gene=PDIA2&behind=0")
    assert asked == []


def test_an_address_is_made_short_by_leaving_empty_fields_out(researcher: Client, job: Job) -> None:
    answer = researcher.get(f"/jobs/{job.pk}/variants/?gene=PDIA2&region=&af_max=&known=")
    assert answer.status_code == 302
    assert answer["Location"] == f"/jobs/{job.pk}/variants/?gene=PDIA2"
    answer = researcher.get(f"/jobs/{job.pk}/variants/?gene=")
    assert answer["Location"] == f"/jobs/{job.pk}/variants/"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?gen=PDIA2", "asks for “gen”, which no filter knows"),
        ("?%3Cscript%3E=1", "asks for “<script>”"),
        ("?gene=A&gene=B", "asks for “gene” more than once"),
        ("?af_max=often", "Frequency at most: Enter a number."),
        ("?af_max=nan", "Frequency at most: Enter a number."),
        ("?af_min=-1", "Frequency at least: Ensure"),
        ("?af_max=1e999", "Frequency at most: Enter a number."),
        ("?impact=EXTREME", "EXTREME is not one of the available choices"),
        ("?consequence=nonsense", "nonsense is not one of the available choices"),
        ("?region=chr16:5-1", "ends before it begins"),
        ("?region=chr16:0-1", "ends before it begins"),
        ("?region=chr16:1-9999999999", "beyond any contig"),
        ("?region=:::", "is no region"),
        ("?region=chr16:%D9%A3", "is no region"),
        ("?gene=" + 101 * "A", "too long"),
        ("?gene=" + "+".join(f"G{n}" for n in range(201)), "At most 200"),
        ("?clinvar=a%00b", "no word at all"),
        ("?filter=a%0Ab", "no word at all"),
        ("?gene=a%00b", "no word at all"),
        ("?gene=%EF%BF%BE", "no word at all"),
        ("?sort=secret", "not one of the available choices"),
        ("?behind=-1", "Behind: Ensure"),
        ("?behind=999999", "begins behind a row that this table does not have"),
        ("?behind=1e3", "Behind: Enter a whole number"),
        ("?boxes=99", "Boxes: Ensure"),
        ("?5-gene=A", "asks for “5-gene”"),
        ("?2-region=x:y:z", "is no region"),
    ],
)
def test_garbage_in_the_address_gets_one_sentence(
    researcher: Client, job: Job, query: str, said: str
) -> None:
    page = page_of(researcher, job, query, status=400)
    assert page.count('id="said"') == 1
    assert said in page
    assert researcher.get(f"/jobs/{job.pk}/variants/tsv/{query}").status_code in (400, 302)


@pytest.mark.parametrize(
    "query",
    [
        "?id=(((",
        "?id=\\",
        "?clinvar=%5B%5D*%2B%3F",
        "?filter=%5C",
        "?gene=%22%27%3B--",
        "?gene=%ff",
    ],
)
def test_odd_words_find_nothing_and_break_nothing(researcher: Client, job: Job, query: str) -> None:
    page = page_of(researcher, job, query)
    assert "No variant is like that." in page
    assert 'id="get-vcf"' not in page


def test_a_process_answers_only_a_few_questions_at_once(
    researcher: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "PATIENCE", 0.01)
    for _ in range(results.LOOKS):
        results._looking.acquire()
    try:
        assert "Many people are looking" in page_of(researcher, job, status=503)
    finally:
        results._looking.release(results.LOOKS)
    page_of(researcher, job)


def test_a_question_that_takes_too_long_gets_a_sentence_and_keeps_its_form(
    researcher: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "PAGE_SECONDS", -1.0)
    page = page_of(researcher, job, "?gene=PDIA2", status=503)
    assert str(TooSlow()) in page
    assert 'value="PDIA2"' in page


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.ARCHIVED, "come back by themselves when you subscribe"),
        (Status.THAWING, "on their way back"),
        (Status.RESTORING, "on their way back"),
        (Status.QUEUED, "no table of variants yet"),
        (Status.FAILED, "no table of variants yet"),
    ],
)
def test_results_that_are_not_at_hand_say_where_they_are(
    researcher: Client, owner: User, shelf: Shelf, status: Status, said: str
) -> None:
    job = job_in(status, owner=owner, shelf=shelf)
    assert said in page_of(researcher, job, status=409)
    assert researcher.get(f"/jobs/{job.pk}/variants/0/").status_code == 409
    assert researcher.get(f"/jobs/{job.pk}/variants/tsv/?gene=A").status_code == 409


@pytest.mark.parametrize(("fault", "status"), [(ObjectMissing, 409), (StorageUnavailable, 503)])
def test_storage_that_fails_is_no_fault_of_the_page(
    researcher: Client,
    job: Job,
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    fault: type[Exception],
    status: int,
) -> None:
    def fail(*_: object) -> bytes:
        raise fault("away")

    monkeypatch.setattr(RangedObject, "read", fail)
    for path in ("", "0/", "tsv/?gene=A"):
        assert researcher.get(f"/jobs/{job.pk}/variants/{path}").status_code == status


def test_a_table_that_is_broken_gets_a_sentence(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = a_job(owner, shelf, parquet=b"PAR1" + 90 * b"x")
    assert "cannot be read" in page_of(researcher, job, status=503)
    assert researcher.get(f"/jobs/{job.pk}/variants/vcf/?gene=A").status_code == 503


def test_a_page_asks_the_database_little(
    researcher: Client, job: Job, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for path in ("variants/?gene=PDIA2", "variants/3/", "results/"):
        with django_assert_max_num_queries(6):
            researcher.get(f"/jobs/{job.pk}/{path}")


def test_all_transcripts_of_a_variant_are_on_its_page(researcher: Client, job: Job) -> None:
    keys = [tuple(map(row.get, PLACE)) for row in sample()]
    at = next(n for n, key in enumerate(keys) if keys.count(key) == 5)
    page = unescape(researcher.get(f"/jobs/{job.pk}/variants/{at}/").content.decode())
    for row in (row for row, key in zip(sample(), keys, strict=True) if key == keys[at]):
        assert f"<td>{row['transcript']}</td>" in page
    assert "5 rows of the table" in page
    assert researcher.get(f"/jobs/{job.pk}/variants/{len(keys)}/").status_code == 404


def test_links_lead_out_without_a_word_of_where_from(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    row = a_row(contig="chr16", position=7, ref="A", alt="C", id="rs11;x", known_id="rs22")
    row |= {"gene": "PDIA2", "clinvar_significance": "Benign", "consequence": "stop_gained"}
    job = a_job(owner, shelf, parquet=parquet([row]))
    for path in ("", "0/"):
        page = researcher.get(f"/jobs/{job.pk}/variants/{path}").content.decode()
        found = re.findall(r'<a href="(https://[^"]+)" rel="noopener noreferrer">', page)
        assert {urlsplit(unescape(link)).hostname for link in found} == {
            "www.ncbi.nlm.nih.gov",
            "www.ensembl.org",
        }
        assert [link for link in found if link.endswith(("snp/rs11", "snp/rs22"))] == found[:2]
        assert "16%5Bchr%5D+AND+7%5Bchrpos38%5D" in found[2]
        assert found[3].endswith("?g=PDIA2")
        assert page.count("https://") == len(found)


def test_hostile_cells_are_only_words(researcher: Client, owner: User, shelf: Shelf) -> None:
    text = [name for name in sample()[0] if name not in ("position", "allele_frequency")]
    row = a_row(**dict.fromkeys(text, HOSTILE), position=1)
    counts = json.loads(OUTPUTS[ResultFile.Kind.SUMMARY])
    counts |= {"filters": {HOSTILE: 1}, "clinvar": {HOSTILE: 1}, "contigs": {HOSTILE: 1}}
    counts |= {"consequences": {HOSTILE: 1}, "consequences_all": {HOSTILE: 1}}
    hostile = {"parquet": parquet([row]), "summary": json.dumps(counts).encode()}
    job = a_job(owner, shelf, **hostile)
    Job.objects.filter(pk=job.pk).update(name=HOSTILE)
    asked = "?gene=%3Cscript%3Ealert(1)%3C/script%3E&filter=%3Cscript%3Ealert(1)%3C/script%3E"
    for path in ("variants/", f"variants/{asked}", "variants/0/", "results/"):
        page = researcher.get(f"/jobs/{job.pk}/{path}").content.decode()
        assert "&lt;script" in page, path
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "javascript:" not in page


def test_the_head_that_sorts_says_so(researcher: Client, job: Job) -> None:
    page = page_of(researcher, job, "?sort=-allele_frequency")
    heads = re.findall(r'<th scope="col"([^>]*)>', page)
    assert heads.count(' aria-sort="descending"') == 1
    assert len(heads) == 11
    assert "<caption" in page
