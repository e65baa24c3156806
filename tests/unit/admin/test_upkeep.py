"""The page of dead letters, and what staff do about failed jobs and jobs in trouble."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from gas.models import JobEvent, Status, Upload, User
from gas.storage import queues
from gas.storage.errors import StorageUnavailable
from tests.seams.world import World
from tests.unit.admin.conftest import MakeJob

DEAD = "/admin/dead-letters/"
JOBS = "/admin/gas/job/"


@pytest.fixture
def press(staff: Client) -> Callable[..., list[str]]:
    """Choose an action for every job; returns what staff are told."""

    def post(action: str, *jobs: object) -> list[str]:
        form = {"action": action, "_selected_action": [getattr(job, "pk", job) for job in jobs]}
        answer = staff.post(JOBS, form)
        assert answer.status_code == 302
        return [str(message) for message in get_messages(answer.wsgi_request)]

    return post


def test_staff_see_how_many_dead_letters_each_queue_has(world: World, staff: Client) -> None:
    world.letters.post("thaw", "garbage")
    page = staff.get(DEAD)
    assert page.context["counts"]["thaw"] == 1
    assert page.content.count(b"Move back") == 1
    assert DEAD in staff.get("/admin/").content.decode()


def test_the_button_moves_one_queue_and_is_written_down(
    world: World, staff: Client, operator: User
) -> None:
    for queue in ("thaw", "annotate"):
        world.letters.post(queue, "garbage")
    answer = staff.post(DEAD, {"queue": "thaw"})
    assert answer["Location"] == DEAD
    assert world.letters.in_dead_letters("thaw") == []
    assert world.letters.in_dead_letters("annotate") == ["garbage"]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.change_message) == (operator, "1 message moved back to thaw")


@pytest.mark.parametrize("queue", ["", "nowhere", "gas-thaw"])
def test_a_queue_that_does_not_exist_moves_nothing(world: World, staff: Client, queue: str) -> None:
    world.letters.post("thaw", "garbage")
    assert staff.post(DEAD, {"queue": queue}).status_code == 302
    assert world.letters.in_dead_letters("thaw") == ["garbage"]
    assert not LogEntry.objects.exists()


def test_nobody_else_moves_anything_and_no_get_does(
    world: World, client: Client, staff: Client, stranger: User
) -> None:
    world.letters.post("thaw", "garbage")
    assert client.post(DEAD, {"queue": "thaw"}).status_code == 302
    client.force_login(stranger)
    assert client.post(DEAD, {"queue": "thaw"}).status_code == 404
    assert client.get(DEAD).status_code == 404
    assert staff.get(f"{DEAD}?queue=thaw").status_code == 200
    assert staff.put(DEAD, {"queue": "thaw"}).status_code == 405
    assert world.letters.in_dead_letters("thaw") == ["garbage"]


def test_another_site_cannot_press_the_button(world: World, operator: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)
    assert browser.post(DEAD, {"queue": "thaw"}).status_code == 403


def test_the_page_stands_while_sqs_is_away(
    world: World, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(url: str) -> int:
        raise StorageUnavailable("SQS is away")

    monkeypatch.setattr(queues, "depth", away)
    page = staff.get(DEAD)
    assert page.status_code == 200
    assert b"SQS is away" in page.content


def test_staff_run_failed_jobs_again_and_are_told_which_could_not_be(
    world: World, press: Callable[..., list[str]], make_job: MakeJob
) -> None:
    again = make_job(status=Status.FAILED, failure="Ours.")
    gone = make_job(status=Status.FAILED, failure="Theirs.")
    Upload.objects.filter(pk=gone.upload_id).update(status="refused", refusal="No VCF.")
    assert press("run_again", again, gone) == [
        f"Queued again 1 job: {again.pk}.",
        f"Not to be run again: 1 job: {gone.pk}.",
    ]
    event = JobEvent.objects.get()
    assert (event.job_id, event.actor, event.after) == (again.pk, "operator", "queued")


def test_staff_go_on_with_mended_jobs(
    world: World, press: Callable[..., list[str]], make_job: MakeJob
) -> None:
    stalled = make_job(status=Status.ARCHIVING, wake_at=None, trouble="denied")
    well = make_job()
    assert press("mended", stalled, well) == [
        f"Going on with 1 job: {stalled.pk}.",
        f"No trouble with 1 job: {well.pk}.",
    ]
    assert [message.args for message in world.broker.arrived("archive")] == [(stalled.pk,)]


@pytest.mark.parametrize("action", ["run_again", "mended"])
def test_no_visitor_does_either(
    client: Client, make_job: MakeJob, stranger: User, action: str
) -> None:
    job = make_job(status=Status.FAILED, failure="Ours.", trouble="denied")
    client.force_login(stranger)
    form = {"action": action, "_selected_action": [job.pk]}
    assert client.post(JOBS, form).status_code == 404
    job.refresh_from_db()
    assert (job.state, job.trouble) == (Status.FAILED, "denied")


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
