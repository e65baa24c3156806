"""The list of jobs."""

from functools import partial

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from gas.models import Job, Status, Upload, User
from gas.services import listing
from tests.stage import Shelf, job_in

pytestmark = pytest.mark.django_db


def test_the_list_is_mine_newest_first_in_pages(
    researcher: Client, owner: User, stranger: User, shelf: Shelf
) -> None:
    job_in(Status.QUEUED, owner=stranger, shelf=shelf, name="not mine")
    upload = Upload.objects.create(owner=owner, filename="a.vcf")
    count = listing.PAGE + 3
    Job.objects.bulk_create(
        Job(owner=owner, upload=upload, name=f"number {n}", bundle="b") for n in range(count)
    )
    first = researcher.get("/jobs/")
    shown = [job.name for job in first.context["page"].jobs]
    assert shown == [f"number {n}" for n in range(count - 1, 2, -1)]
    older = first.content.decode().partition('rel="next" href="')[2].partition('"')[0]
    rest = researcher.get(older.replace("&amp;", "&"))
    assert [job.name for job in rest.context["page"].jobs] == ["number 2", "number 1", "number 0"]
    assert 'rel="next"' not in rest.content.decode()


def test_chips_count_what_there_is_and_filter_by_it(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    for status in (Status.QUEUED, Status.RUNNING, Status.FAILED):
        job_in(status, owner=owner, shelf=shelf, name=f"a {status} job")
    answer = researcher.get("/jobs/?show=active")
    counts = {chip.name: chip.count for chip in answer.context["chips"]}
    assert counts == {"All": 3, "In progress": 2, "Failed": 1}
    page = answer.content.decode()
    assert "a running job" in page
    assert "a failed job" not in page


def test_every_state_is_on_exactly_one_chip() -> None:
    shown = [status for _, states in listing.SHOWN.values() for status in states]
    assert sorted(shown) == sorted(Status)


@pytest.mark.parametrize(
    "query",
    [
        *("show=nonsense", "show=%00", "before=x", "before=-1", "before=99999999999999999999"),
        *("q=%00", "since=x", "since=0001-01-01", "until=9999-12-31", "after=0", "seen=x"),
    ],
)
def test_a_query_that_makes_no_sense_shows_the_list(
    researcher: Client, owner: User, shelf: Shelf, query: str
) -> None:
    job_in(Status.QUEUED, owner=owner, shelf=shelf, name="still shown")
    assert "still shown" in researcher.get(f"/jobs/?{query}").content.decode()


def test_an_empty_list_teaches(researcher: Client) -> None:
    page = researcher.get("/jobs/").content.decode()
    assert "No jobs yet" in page
    assert 'action="/jobs/example/"' in page


@pytest.mark.parametrize(
    "query",
    [
        "",
        "show=active",
        "show=active&q=trio&since=2020-01-01&until=2030-01-01",
        "show=archived",
        "show=returning&after={first}",
    ],
)
def test_a_list_takes_at_most_six_queries_none_of_which_counts_or_skips_without_end(
    researcher: Client,
    owner: User,
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    query: str,
) -> None:
    monkeypatch.setattr(listing, "page", partial(listing.page, most=3))
    first = job_in(Status.FAILED, owner=owner, shelf=shelf)
    for status in [Status.ARCHIVED, Status.QUEUED, Status.RUNNING, Status.THAWING] * 4:
        job_in(status, owner=owner, shelf=shelf, name="trio")
    with django_assert_max_num_queries(6) as asked:
        page = researcher.get(f"/jobs/?{query.format(first=first.pk)}").context["page"]
    assert [page.newer_than is None, len(page.jobs)] == ["after" not in query, 3]
    of_jobs = [each["sql"] for each in asked.captured_queries if '"gas_job"' in each["sql"]]
    assert len(of_jobs) >= 2
    assert all("LIMIT" in sql and "OFFSET" not in sql for sql in of_jobs)
    limit, counts = ("LIMIT 251", 0) if "q=" in query else ("LIMIT 1001", 1)
    assert [sql.count("COUNT(") for sql in of_jobs if limit in sql] == [counts]
    assert sum(sql.count("COUNT(") for sql in of_jobs) == counts
