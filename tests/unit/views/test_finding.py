"""What a list finds: by words, by days, page by page in both directions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from gas.models import Job, Status, Upload, User
from gas.services import listing
from tests.stage import Shelf, job_in

pytestmark = pytest.mark.django_db


def a_job(owner: User, name: str, *, file: str = "input.vcf", **columns: Any) -> Job:
    """A cancelled job, which needs nothing else."""
    upload = Upload.objects.create(owner=owner, filename=file)
    usual = {"owner": owner, "upload": upload, "bundle": "b", "status": Status.CANCELLED}
    return Job.objects.create(name=name, **{**usual, **columns})


def found(client: Client, **query: Any) -> list[str]:
    """The names of the jobs that a list shows."""
    return [job.name for job in client.get("/jobs/", query).context["page"].jobs]


def address(page: str, link: str) -> str:
    """Where a link of a page leads, by its id."""
    _, there, rest = page.partition(f'id="{link}"')
    return rest.partition('href="')[2].partition('"')[0].replace("&amp;", "&") if there else ""


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("trio", ["TRIO of 7", "Trio 3, exome"]),
        ("exome TRIO", ["Trio 3, exome"]),
        ("cohort", ["batch"]),
        (".vcf.gz", ["batch"]),
        ("batch cohort", ["batch"]),
        ("STRASSE", ["Straße 7"]),
        ("straße", ["Straße 7"]),
        ("cafe\u0301", ["Caf\u00e9"]),
        ("100%", ["100% sure"]),
        ("_", ["a_b"]),
        ("\\", []),
        ("7", ["Straße 7", "TRIO of 7"]),
        ("nothing", []),
    ],
)
def test_every_word_is_looked_for_in_the_name_and_the_file_name(
    researcher: Client, owner: User, stranger: User, words: str, names: list[str]
) -> None:
    for name in ("100% sure", "a_b", "Caf\u00e9", "Straße 7", "TRIO of 7", "Trio 3, exome"):
        a_job(owner, name)
    a_job(owner, "batch", file="cohort-a.vcf.gz")
    a_job(stranger, "Trio of somebody else")
    assert sorted(found(researcher, q=words)) == names


def test_words_that_match_nothing_say_how_they_are_looked_for(
    researcher: Client, owner: User
) -> None:
    a_job(owner, "Trio")
    page = researcher.get("/jobs/?q=quartet&show=failed").content.decode()
    assert "No job matches" in page
    assert "No jobs yet" not in page
    assert 'value="quartet"' in page


@pytest.mark.parametrize(
    ("since", "until", "names"),
    [
        ("", "", ["5th, 23:59", "5th, 00:00", "4th, 23:59", "3rd"]),
        ("2026-03-05", "", ["5th, 23:59", "5th, 00:00"]),
        ("", "2026-03-04", ["4th, 23:59", "3rd"]),
        ("2026-03-04", "2026-03-04", ["4th, 23:59"]),
        ("2026-03-06", "", []),
        ("", "2026-03-02", []),
        ("2026-03-05", "2026-03-04", []),
    ],
)
def test_days_begin_and_end_at_midnight_in_utc(
    researcher: Client, owner: User, since: str, until: str, names: list[str]
) -> None:
    moments = {
        "3rd": (3, 12, 0),
        "4th, 23:59": (4, 23, 59),
        "5th, 00:00": (5, 0, 0),
        "5th, 23:59": (5, 23, 59),
    }
    for name, (day, hour, minute) in moments.items():
        a_job(owner, name, created_at=datetime(2026, 3, day, hour, minute, tzinfo=UTC))
    assert found(researcher, since=since, until=until) == names


@pytest.mark.parametrize("show", ["", "active"])
def test_pages_lead_to_each_other_in_both_directions(
    researcher: Client, owner: User, show: str
) -> None:
    count = 2 * listing.PAGE + 3
    kinds = [Status.QUEUED, Status.RUNNING]
    for n in range(count):
        a_job(owner, f"trio {n}", status=kinds[n % 3 == 0])
        a_job(owner, f"quartet {n}")
    query = f"q=trio&show={show}" if show else "q=trio"
    names = [f"trio {n}" for n in reversed(range(count))]
    pages = [names[: listing.PAGE], names[listing.PAGE : 2 * listing.PAGE], names[-3:]]
    at, seen = f"/jobs/?{query}", []
    while at:
        answer = researcher.get(at)
        seen.append([job.name for job in answer.context["page"].jobs])
        last, at = at, address(answer.content.decode(), "older")
    assert seen == pages
    back = address(researcher.get(last).content.decode(), "newer")
    assert [job.name for job in researcher.get(back).context["page"].jobs] == pages[1]
    first = address(researcher.get(back).content.decode(), "newer")
    answer = researcher.get(first, follow=True)
    assert [job.name for job in answer.context["page"].jobs] == pages[0]
    assert "after" not in answer.request["QUERY_STRING"]


def test_a_page_whose_jobs_were_all_deleted_leads_back(researcher: Client, owner: User) -> None:
    first = a_job(owner, "the oldest")
    page = researcher.get(f"/jobs/?before={first.pk}").content.decode()
    assert "There is nothing older" in page


def test_counts_are_of_what_is_looked_for_and_end_somewhere(
    researcher: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", 3)
    monkeypatch.setattr(listing, "MOST_LOOKED_AT", 3)
    a_job(owner, "quartet", status=Status.QUEUED)
    for n in range(5):
        a_job(owner, f"trio {n}")
    a_job(owner, "trio 9", status=Status.QUEUED)

    def told(**query: str) -> dict[str, tuple[int, bool]]:
        answer = researcher.get("/jobs/", query)
        assert ("or more" in answer.content.decode()) is any(
            chip.more for chip in answer.context["chips"]
        )
        return {chip.name: (chip.count, chip.more) for chip in answer.context["chips"]}

    assert told() == {"All": (5, True), "In progress": (2, False), "Cancelled": (3, True)}
    assert told(q="9") == {"All": (1, False), "In progress": (1, False)}
    newest = told(q="trio")  # of which there are more than are looked at: of any kind
    assert len(newest) == 1 + len(listing.SHOWN)
    assert (newest["All"], newest["Cancelled"], newest["Failed"]) == (
        (3, True),
        (2, True),
        (0, True),
    )


def test_chips_keep_what_is_looked_for_and_leave_the_page(researcher: Client, owner: User) -> None:
    job = a_job(owner, "trio")
    page = researcher.get(f"/jobs/?q=trio&since=2020-01-01&before={job.pk + 1}").content.decode()
    assert 'href="/jobs/?show=cancelled&amp;q=trio&amp;since=2020-01-01"' in page


def test_a_list_that_follows_its_jobs_is_sent_only_when_it_changed(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    page = researcher.get("/jobs/").content.decode()
    asked = page.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    from_the_page = {"HX-Request": "true"}
    assert researcher.get(asked, headers=from_the_page).status_code == 204
    assert researcher.get(asked).status_code == 200
    Job.objects.move(job.pk, Status.QUEUED, Status.CANCELLED, actor="owner")
    answer = researcher.get(asked, headers=from_the_page).content.decode()
    assert "Cancelled" in answer
    assert "hx-get" not in answer


def test_the_words_of_a_hostile_name_are_only_words(researcher: Client, owner: User) -> None:
    hostile = '"><script>alert(1)</script>'
    a_job(owner, hostile)
    for path in ("/jobs/", f"/jobs/chosen/?verb=delete&job={Job.objects.get().pk}"):
        assert "<script>alert" not in researcher.get(path, {}).content.decode()
    page = researcher.get("/jobs/", {"q": hostile}).content.decode()
    assert "<script>alert" not in page
    assert found(researcher, q=hostile) == [hostile]


def test_dates_of_an_owners_jobs_are_in_the_order_of_their_numbers(
    researcher: Client, owner: User
) -> None:
    made = [a_job(owner, f"job {n}") for n in range(3)]
    for job in made:
        job.refresh_from_db()
    assert [job.created_at for job in made] == sorted(job.created_at for job in made)
    assert timezone.now() - made[-1].created_at < timedelta(hours=1)
