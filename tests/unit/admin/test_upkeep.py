"""The way to the operators' page, and what staff find about jobs in trouble."""

from django.test import Client
from django.utils import timezone

from gas.models import Status
from tests.unit.admin.conftest import MakeJob

JOBS = "/admin/gas/job/"


def test_one_page_is_for_dead_letters_and_the_staff_pages_lead_there(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert page.count("ead letters") == 1
    assert '<a href="/admin/operations/">Operations: queues, dead letters' in page
    assert staff.get("/admin/dead-letters/").status_code == 404


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
