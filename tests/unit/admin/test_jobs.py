"""The list and the page of jobs, and how their messages are sent again."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gas.admin import read_only
from gas.admin.read_only import MOST_RELATED, MOST_ROWS
from gas.models import Failure, Job, JobEvent, Notice, Status, Subscription, Upload, User
from tests.unit.admin.conftest import MakeJob

JOBS = "/admin/gas/job/"
SCRIPT = '<script>alert("x")</script>'


def shown(staff: Client, query: str = "") -> set[int]:
    """Return the numbers of the jobs that the list shows."""
    answer = staff.get(f"{JOBS}?{query}")
    assert answer.status_code == 200, answer
    return {job.pk for job in answer.context["cl"].result_list}


def test_a_row_tells_what_staff_ask_first(staff: Client, make_job: MakeJob) -> None:
    make_job(
        status=Status.FAILED,
        failure="Line 12 " + "is wrong " * 40,
        attempt=7,
        setbacks=3,
        created_at=timezone.now() - timedelta(hours=5, minutes=10),
    )
    row = staff.get(JOBS).content.decode()
    for told in ("owner@example.org", "Cohort 7", "Failed", "free", "5\xa0hours", "Line 12"):
        assert told in row
    assert '<td class="field-attempt">7</td>' in row
    assert '<td class="field-setbacks">3</td>' in row
    assert "is wrong " * 40 not in row


def test_a_job_is_found_by_number_name_and_owner(
    staff: Client, make_job: MakeJob, stranger: User
) -> None:
    mine = make_job(name="Exomes")
    other = make_job(owner=stranger, name=f"Genomes {mine.pk}")
    assert shown(staff, f"q={mine.pk}") == {mine.pk}
    assert shown(staff, "q=exomes") == {mine.pk}
    assert shown(staff, "q=stranger@example.org") == {other.pk}
    assert shown(staff, "q=stranger") == {other.pk}
    assert shown(staff, "q=genomes+cohort.vcf") == {other.pk}
    assert shown(staff, "q=nothing") == set()
    assert shown(staff, "q=ex") == set()  # no index finds two letters
    assert shown(staff, f"q={'9' * 5000}") == set()
    assert shown(staff, f"q={10**30}") == set()


@pytest.mark.parametrize("table", ["jobevent", "notice"])
def test_a_record_is_found_by_the_number_of_its_job(staff: Client, owner: User, table: str) -> None:
    chosen = add_jobs(owner, 12)[0].pk
    found = staff.get(f"/admin/gas/{table}/?q={chosen}").context["cl"].result_list
    assert [record.job_id for record in found] == [chosen]


@pytest.mark.parametrize("table", ["job", "jobevent", "notice"])
def test_a_number_that_no_job_can_have_finds_nothing(
    staff: Client, one_of_each: Job, table: str
) -> None:
    answer = staff.get(f"/admin/gas/{table}/?q={10**25}")
    assert answer.status_code == 200
    assert not answer.context["cl"].result_list


def test_jobs_are_filtered_by_status_failure_age_and_owner(
    staff: Client, make_job: MakeJob, subscriber: User
) -> None:
    old = make_job(
        status=Status.FAILED,
        failure="No.",
        failure_kind=Failure.OURS,
        created_at=timezone.now() - timedelta(days=9),
    )
    paid = make_job(owner=subscriber, created_at=timezone.now() - timedelta(hours=23))
    young = make_job()
    assert shown(staff, "status__exact=failed") == {old.pk}
    assert shown(staff, "failure_kind__exact=ours") == {old.pk}
    assert shown(staff, "failure_kind__exact=input") == set()
    assert shown(staff, f"owner__id__exact={subscriber.pk}") == {paid.pk}
    assert shown(staff, "owner__id__exact=0&status__exact=queued") == set()
    assert shown(staff, "age=hour") == {young.pk}
    assert shown(staff, "age=day") == {young.pk, paid.pk}
    assert shown(staff, "age=older") == {old.pk}
    assert shown(staff, "age=nonsense") == {young.pk, paid.pk, old.pk}


def test_an_age_of_which_there_is_no_job_finds_none(staff: Client, make_job: MakeJob) -> None:
    old = make_job(created_at=timezone.now() - timedelta(days=9))
    assert shown(staff, "age=hour") == set()
    assert shown(staff, "age=older") == {old.pk}
    young = make_job()
    assert shown(staff, "age=older") == {old.pk}
    assert shown(staff, "age=week") == {young.pk}


def test_the_accounts_page_leads_to_its_jobs(
    staff: Client, make_job: MakeJob, stranger: User
) -> None:
    mine = make_job()
    make_job(owner=stranger)
    link = f"owner__id__exact={mine.owner_id}"
    assert link in staff.get("/admin/gas/user/").content.decode()
    assert shown(staff, link) == {mine.pk}


def test_the_page_of_a_job_shows_its_events_files_and_mails(
    staff: Client, one_of_each: Job
) -> None:
    page = staff.get(f"{JOBS}{one_of_each.pk}/change/").content.decode()
    for told in ("submitted", "a/b.log", "Line 12: the position", "cancel"):
        assert told in page
    assert "<input" not in page.partition('id="job_form"')[2].replace('<input type="hidden"', "")


@pytest.mark.parametrize("table", ["job", "user", "upload", "subscription", "webhook"])
def test_the_page_of_a_row_asks_the_database_a_bounded_number_of_times(
    staff: Client, one_of_each: Job, owner: User, table: str
) -> None:
    row = apps.get_model("gas", table).objects.first()
    JobEvent.objects.bulk_create(
        JobEvent(job=one_of_each, actor="w", after="running", reason="r") for _ in range(300)
    )
    with CaptureQueriesContext(connection) as queries:
        page = staff.get(f"/admin/gas/{table}/{row.pk}/change/").content.decode()
    assert len(queries) <= 10
    assert page.count("<td>running</td>") <= MOST_RELATED


@pytest.mark.parametrize("where", ["", "{}/change/", "{}/history/"])
def test_hostile_names_are_text(staff: Client, make_job: MakeJob, owner: User, where: str) -> None:
    User.objects.update(first_name=SCRIPT, email=SCRIPT)
    job = make_job(name=SCRIPT, filename=SCRIPT, status=Status.FAILED, failure=SCRIPT)
    JobEvent.objects.create(job=job, actor=SCRIPT, after=Status.FAILED, reason=SCRIPT)
    page = staff.get(JOBS + where.format(job.pk)).content.decode()
    assert SCRIPT not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("table", ["jobevent", "upload", "user", "notice"])
def test_hostile_names_are_text_in_the_other_lists(
    staff: Client, make_job: MakeJob, table: str
) -> None:
    User.objects.update(first_name=SCRIPT, email=SCRIPT)
    job = make_job(name=SCRIPT, filename=SCRIPT)
    JobEvent.objects.create(job=job, actor=SCRIPT, after=Status.QUEUED, reason=SCRIPT)
    Notice.objects.create(job=job, kind=Notice.Kind.FAILED, attempt=1)
    assert SCRIPT not in staff.get(f"/admin/gas/{table}/?q={SCRIPT}").content.decode()
    assert SCRIPT not in staff.get(f"/admin/gas/{table}/").content.decode()


@pytest.mark.parametrize(
    "table", ["job", "upload", "jobevent", "notice", "user", "subscription", "staffact", "apitoken"]
)
def test_a_list_asks_the_database_as_often_for_200_rows_as_for_10(
    staff: Client, owner: User, table: str
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert staff.get(f"/admin/gas/{table}/").status_code == 200
        return len(queries)

    add_jobs(owner, 10)
    few = asked()
    add_jobs(owner, 190)
    assert asked() == few <= 6


def add_jobs(owner: User, count: int) -> list[Job]:
    """Make many jobs of many owners at little cost."""
    first = User.objects.count()
    owners = User.objects.bulk_create(User(username=f"u{first + n}") for n in range(count))
    uploads = Upload.objects.bulk_create(Upload(owner=one, filename="a.vcf") for one in owners)
    jobs = Job.objects.bulk_create(
        Job(owner=upload.owner, upload=upload, name="a") for upload in uploads
    )
    JobEvent.objects.bulk_create(JobEvent(job=job, actor="a", after=job.status) for job in jobs)
    Notice.objects.bulk_create(Notice(job=job, kind="failed", attempt=1) for job in jobs)
    Subscription.objects.bulk_create(
        Subscription(user=one, provider_id=one.username, started_at=timezone.now())
        for one in owners
    )
    return jobs


def test_no_page_of_the_list_counts_or_skips_more_than_the_nearest_rows(
    staff: Client, owner: User
) -> None:
    add_jobs(owner, 10)
    with CaptureQueriesContext(connection) as queries:
        staff.get(JOBS)
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counts
    assert all(f"LIMIT {MOST_ROWS + 1}" in count for count in counts)


@pytest.mark.parametrize(("jobs", "told"), [(4, "4 jobs"), (5, "5 jobs"), (6, "More than 5 jobs")])
def test_a_list_says_how_many_rows_there_are_or_that_there_are_more_than_it_shows(
    staff: Client, owner: User, monkeypatch: pytest.MonkeyPatch, jobs: int, told: str
) -> None:
    monkeypatch.setattr(read_only, "MOST_ROWS", 5)
    monkeypatch.setattr(read_only.ReadOnlyAdmin, "list_per_page", 2)
    add_jobs(owner, jobs)
    shown = staff.get(JOBS).content.decode()
    (told_below,) = re.findall(r'<p class="paginator">(.*?)</p>', shown, re.DOTALL)
    assert f"\n{told}" in told_below
    assert "across all pages" not in shown
    assert staff.get(f"{JOBS}?p=4").status_code == 302
