"""The frame of the staff pages, and what staff find about jobs in trouble."""

from django.test import Client
from django.utils import timezone

from gas.models import Job, Status
from gas.services import maintenance
from tests.unit.admin.conftest import MakeJob

JOBS = "/admin/gas/job/"


def test_one_page_is_for_dead_letters_and_the_staff_pages_lead_there(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert page.count("ead letters") == 1
    assert '<a href="/admin/operations/">Operations: queues, dead letters' in page
    assert staff.get("/admin/dead-letters/").status_code == 404


def test_every_page_of_staff_tells_of_a_maintenance(staff: Client, one_of_each: Job) -> None:
    pages = ("/admin/", "/admin/gas/", JOBS, f"{JOBS}{one_of_each.pk}/change/")
    asked = {"action": "retry", "_selected_action": one_of_each.pk}

    def told() -> list[int]:
        answers = [*(staff.get(page) for page in pages), staff.post(JOBS, asked)]
        assert [answer.status_code for answer in answers] == 5 * [200]
        return [
            answer.content.decode().count("New &lt;disks&gt; are put in.") for answer in answers
        ]

    assert told() == 5 * [0]
    maintenance.begin(actor="operator", message="New <disks> are put in")
    assert told() == 5 * [1]


def test_jobs_in_trouble_are_found(staff: Client, make_job: MakeJob) -> None:
    make_job()
    marked = make_job(trouble="<b>missing</b>")
    stalled = make_job(
        status=Status.THAWING, trouble="denied", wake_at=None, archived_at=timezone.now()
    )

    def shown(query: str) -> set[int]:
        page = staff.get(f"{JOBS}?{query}")
        assert "<b>missing" not in page.content.decode()
        return {job.pk for job in page.context["cl"].result_list}

    assert shown("trouble=any") == {marked.pk, stalled.pk}
    assert shown("trouble=stalled") == {stalled.pk}
