"""The list and the page of jobs, and how their messages are sent again."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gas.admin.jobs import MOST_AT_ONCE
from gas.admin.read_only import MOST_ROWS
from gas.models import Job, JobEvent, Notice, Status, Subscription, Upload, User
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
    assert shown(staff, "q=nothing") == set()
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


def test_jobs_are_filtered_by_status_plan_and_age(
    staff: Client, make_job: MakeJob, subscriber: User
) -> None:
    day_old = timezone.now() - timedelta(hours=23)
    young, paid = make_job(), make_job(owner=subscriber, created_at=day_old)
    old = make_job(
        status=Status.FAILED, failure="No.", created_at=timezone.now() - timedelta(days=9)
    )
    assert shown(staff, "status__exact=failed") == {old.pk}
    assert shown(staff, "owner__plan__name__exact=premium") == {paid.pk}
    assert shown(staff, "age=hour") == {young.pk}
    assert shown(staff, "age=day") == {young.pk, paid.pk}
    assert shown(staff, "age=older") == {old.pk}
    assert shown(staff, "age=nonsense") == {young.pk, paid.pk, old.pk}


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
    for told in ("submitted", "a/b.log", "Line 12: the position"):
        assert told in page
    assert "<input" not in page.partition('id="job_form"')[2].replace('<input type="hidden"', "")


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


@pytest.mark.parametrize("table", ["job", "upload", "jobevent", "notice", "user", "subscription"])
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
    assert all(f"LIMIT {MOST_ROWS}" in count for count in counts)


Sent = list[int]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The jobs whose message was sent, instead of sending it."""
    numbers: Sent = []
    monkeypatch.setattr("tasks.pipeline.send", lambda job: numbers.append(job.pk))
    return numbers


@pytest.fixture
def press(staff: Client) -> Callable[..., list[str]]:
    """Press "send again" for some jobs; returns what staff are told."""

    def post(*jobs: Job) -> list[str]:
        form = {"action": "send_again", "_selected_action": [job.pk for job in jobs]}
        answer = staff.post(JOBS, form)
        assert answer.status_code == 302
        return [str(message) for message in get_messages(answer.wsgi_request)]

    return post


def test_a_message_sent_again_is_recorded_with_who_did_it(
    press: Callable[..., list[str]], make_job: MakeJob, sent: Sent
) -> None:
    job = make_job()
    assert press(job) == [f"Sent again 1 job: {job.pk}."]
    assert sent == [job.pk]
    event = JobEvent.objects.get(job=job)
    assert (event.actor, event.before, event.after) == ("operator", "queued", "queued")
    assert event.reason == "sent again"


def test_staff_are_told_which_jobs_wait_for_no_message(
    press: Callable[..., list[str]], make_job: MakeJob, sent: Sent
) -> None:
    first, second = make_job(), make_job()
    over = make_job(status=Status.FAILED, failure="No.", wake_at=None)
    assert press(first, second, over) == [
        f"Sent again 2 jobs: {second.pk}, {first.pk}.",
        f"Nothing to send for 1 job: {over.pk}.",
    ]
    assert sorted(sent) == [first.pk, second.pk]
    assert not JobEvent.objects.filter(job=over).exists()


def test_sending_again_changes_no_job(
    press: Callable[..., list[str]], make_job: MakeJob, sent: Sent
) -> None:
    make_job()
    before = list(Job.objects.values())
    press(*Job.objects.all())
    assert list(Job.objects.values()) == before


def test_too_many_at_once_send_nothing(
    press: Callable[..., list[str]], owner: User, sent: Sent
) -> None:
    chosen = add_jobs(owner, MOST_AT_ONCE + 1)
    assert press(*chosen) == [f"Please choose at most {MOST_AT_ONCE} jobs."]
    assert sent == []


def test_a_visitor_without_rights_sends_nothing(
    client: Client, make_job: MakeJob, sent: Sent, stranger: User
) -> None:
    form = {"action": "send_again", "_selected_action": [make_job().pk]}
    assert client.post(JOBS, form).status_code == 302
    client.force_login(stranger)
    assert client.post(JOBS, form).status_code == 404
    assert sent == []


def test_a_get_sends_nothing(staff: Client, make_job: MakeJob, sent: Sent) -> None:
    staff.get(f"{JOBS}?action=send_again&_selected_action={make_job().pk}")
    assert sent == []
