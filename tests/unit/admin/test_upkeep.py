"""The page of dead letters, and what staff do about failed jobs and jobs in trouble."""

import pytest
from django.test import Client
from django.utils import timezone

from gas.models import StaffAct, Status, User
from gas.storage import queues
from gas.storage.errors import StorageUnavailable
from tests.seams.world import World
from tests.unit.admin.conftest import MakeJob

DEAD = "/admin/dead-letters/"
CONFIRMED = {"queue": "thaw", "confirmed": "yes", "reason": "mended"}
JOBS = "/admin/gas/job/"


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
    asked = staff.post(DEAD, {"queue": "thaw"})
    assert (asked.status_code, asked.context["queue"]) == (200, "thaw")
    assert staff.post(DEAD, CONFIRMED | {"reason": " "}).status_code == 422
    assert world.letters.in_dead_letters("thaw") == ["garbage"]
    assert staff.post(DEAD, CONFIRMED)["Location"] == DEAD
    assert world.letters.in_dead_letters("thaw") == []
    assert world.letters.in_dead_letters("annotate") == ["garbage"]
    act = StaffAct.objects.get()
    assert (act.actor, act.act, act.kind, act.number) == ("operator", "redrive", "queue", "thaw")
    assert (act.reason, act.outcome) == ("mended", "1 message moved back to thaw.")


@pytest.mark.parametrize("queue", ["", "nowhere", "gas-thaw"])
def test_a_queue_that_does_not_exist_moves_nothing(world: World, staff: Client, queue: str) -> None:
    world.letters.post("thaw", "garbage")
    assert staff.post(DEAD, CONFIRMED | {"queue": queue}).status_code == 302
    assert world.letters.in_dead_letters("thaw") == ["garbage"]
    assert not StaffAct.objects.exists()


def test_nobody_else_moves_anything_and_no_get_does(
    world: World, client: Client, staff: Client, onlooker: Client, stranger: User
) -> None:
    world.letters.post("thaw", "garbage")
    assert client.post(DEAD, CONFIRMED).status_code == 302
    client.force_login(stranger)
    assert client.post(DEAD, CONFIRMED).status_code == 404
    assert onlooker.post(DEAD, CONFIRMED).status_code == 403
    assert b"Move back" not in onlooker.get(DEAD).content
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
