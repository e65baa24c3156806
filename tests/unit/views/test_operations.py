"""The operators' page: staff alone see it, it asks little, and each act is confirmed and kept."""

import re
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from gas.models import Job, JobEvent, Notice, QueueState, Sample, StaffAct, Status, User, Worker
from gas.services import maintenance, operations_history
from gas.services.staff import queues
from gas.services.staff.acts import ActRefused
from gas.storage import queues as stored
from gas.storage.errors import StorageUnavailable
from tests.seams.letters import body_of
from tests.seams.world import World
from tests.unit.domain.rows import job_in

pytestmark = pytest.mark.django_db

PAGE, LIVE, ACT = "/admin/operations/", "/admin/operations/live/", "/admin/operations/act/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def read_anew() -> None:
    operations_history.forget()
    maintenance.forget()


def at_the_staff_pages(user: User) -> Client:
    """The browser of somebody of the staff, who showed a second factor."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["proven_at"] = time.time()
    session.save()
    return client


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("operator", is_staff=True, is_superuser=True)


@pytest.fixture
def staff(operator: User) -> Client:
    return at_the_staff_pages(operator)


def test_the_page_shows_queues_workers_rows_and_costs(
    world: World, staff: Client, owner: User
) -> None:
    world.letters.post("thaw", "garbage")
    job = job_in(Status.QUEUED, owner)
    task = {"task": "annotate", "job": job.pk, "since": timezone.now().isoformat()}
    known = {"name": "annotate@one", "host": "one", "pid": 7, "release": "abc", "processes": 2}
    Worker.objects.create(**known, queues=["annotate"], running=[task])
    page = staff.get(PAGE).content.decode()
    assert f"job {job.pk}</a>" in page
    assert 'id="redrive-thaw"' in page
    assert 'id="redrive-annotate"' not in page
    assert "annotate@one" in page
    assert "a month</strong>" in page


def test_it_is_asked_again_while_something_moves_and_answers_nothing_new_with_nothing(
    world: World, staff: Client, owner: User
) -> None:
    at_rest = staff.get(PAGE).content.decode()
    assert "every 5s" not in at_rest
    assert "visibilitychange from:document" in at_rest
    job_in(Status.QUEUED, owner)
    moving = staff.get(PAGE).content.decode()
    assert "every 5s" in moving
    version = re.search(r"seen=(\w+)", moving)
    assert version is not None
    assert staff.get(LIVE, {"seen": version[1]}).status_code == 204
    job_in(Status.QUEUED, owner)
    told = staff.get(LIVE, {"seen": version[1]}).content.decode()
    assert told.lstrip().startswith('<div id="operations-live"')


def test_it_takes_at_most_ten_questions_and_fewer_when_asked_again(
    world: World, staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    staff.get(PAGE)
    operations_history.forget()
    with django_assert_max_num_queries(10):
        staff.get(PAGE)
    with django_assert_max_num_queries(6):
        staff.get(LIVE)


def test_who_may_only_look_sees_no_button_and_cannot_act(world: World, db: None) -> None:
    onlooker = at_the_staff_pages(User.objects.create_user("onlooker", is_staff=True))
    world.letters.post("thaw", "garbage")
    page = onlooker.get(PAGE)
    assert page.status_code == 200
    assert "operations/act" not in page.content.decode()
    wanted = {"act": "purge", "queue": "thaw", "reason": "why"}
    assert onlooker.get(ACT, wanted).status_code == 403
    assert onlooker.post(ACT, wanted).status_code == 403
    assert onlooker.post("/admin/operations/maintenance/", {}).status_code == 403
    assert world.letters.in_dead_letters("thaw") == ["garbage"]
    assert maintenance.notice() is None


@pytest.mark.parametrize("act", ["pause", "resume", "redrive", "purge"])
def test_an_act_asks_why_before_anything_happens(world: World, staff: Client, act: str) -> None:
    world.letters.post("thaw", "garbage")
    asked = staff.get(ACT, {"act": act, "queue": "thaw"})
    assert asked.status_code == 200
    assert 'name="reason"' in asked.content.decode()
    for reason in ("", "   ", 501 * "x"):
        again = staff.post(ACT, {"act": act, "queue": "thaw", "reason": reason})
        assert "Please say why" in again.content.decode()
        assert again.status_code == 422
    assert world.letters.in_dead_letters("thaw") == ["garbage"]
    assert not QueueState.objects.exclude(paused_at=None).exists()
    assert not StaffAct.objects.exists()


def do(staff: Client, act: str, queue: str = "thaw", reason: str = "disks") -> Any:
    return staff.post(ACT, {"act": act, "queue": queue, "reason": reason}, follow=True)


def test_a_pause_and_its_end_are_kept_with_who_and_why(world: World, staff: Client) -> None:
    page = do(staff, "pause").content.decode()
    assert "thaw is paused" in page
    assert ">operator</span> since" in page
    row = QueueState.objects.get(pk="thaw")
    assert (row.paused_by, row.pause_reason) == ("operator", "disks")
    assert "thaw is paused already." in do(staff, "pause").content.decode()
    assert "thaw goes on" in do(staff, "resume", reason="they are in").content.decode()
    assert QueueState.objects.get(pk="thaw").paused_at is None
    kept = list(StaffAct.objects.order_by("pk").values_list("act", "number", "actor", "reason"))
    assert kept == [
        ("pause", "thaw", "operator", "disks"),
        ("resume", "thaw", "operator", "they are in"),
    ]


def test_who_paused_a_queue_is_told_by_name(world: World, staff: Client, operator: User) -> None:
    User.objects.filter(pk=operator.pk).update(first_name="Staff", last_name="<b>Operator</b>")
    assert "Staff &lt;b&gt;Operator&lt;/b&gt;</span> since" in do(staff, "pause").content.decode()


@pytest.mark.parametrize("act", ["redrive", "purge"])
def test_what_was_counted_before_an_act_is_not_shown_after_it(
    world: World, staff: Client, act: str
) -> None:
    world.letters.post("thaw", "garbage")
    assert 'id="redrive-thaw"' in staff.get(PAGE).content.decode()
    assert 'id="redrive-thaw"' not in do(staff, act).content.decode()


def test_the_button_names_what_is_destroyed(world: World, staff: Client) -> None:
    asked = staff.get(ACT, {"act": "purge", "queue": "thaw"}).content.decode()
    assert ">Purge the dead letters</button>" in asked
    assert (
        ">Pause thaw</button>" in staff.get(ACT, {"act": "pause", "queue": "thaw"}).content.decode()
    )


def test_a_redrive_moves_one_queue_and_is_kept(world: World, staff: Client) -> None:
    for queue in ("thaw", "annotate"):
        world.letters.post(queue, "garbage")
    assert "1 message moved back to thaw." in do(staff, "redrive").content.decode()
    assert world.letters.in_dead_letters("thaw") == []
    assert world.letters.in_dead_letters("annotate") == ["garbage"]
    assert StaffAct.objects.get().outcome == "1 message moved back to thaw."


def test_a_purge_fails_the_job_of_a_letter_and_its_owner_is_told(
    world: World, staff: Client, owner: User
) -> None:
    job = world.queued(owner)
    world.letters.post("annotate", body_of("annotate", job.pk))
    world.letters.post("annotate", "garbage")
    said = do(staff, "purge", "annotate").content.decode()
    assert "2 messages purged, 1 job ended." in said
    job.refresh_from_db()
    assert (job.state, job.failure) == (Status.FAILED, queues.PURGED)
    assert Notice.objects.get(job=job).kind == Notice.Kind.FAILED
    assert world.letters.in_dead_letters("annotate") == []
    kept = StaffAct.objects.order_by("kind").values_list("kind", "number", "actor", "reason")
    assert list(kept) == [
        ("job", str(job.pk), "operator", "disks"),
        ("queue", "annotate", "operator", "disks"),
    ]
    assert StaffAct.objects.get(kind="queue").outcome == "2 messages purged, 1 job ended."


def test_a_purge_loses_no_results(world: World, owner: User) -> None:
    job = world.completed(owner)
    world.letters.post("archive", body_of("archive", job.pk))
    kept = dict(world.storage.kept)
    told = queues.purge(queue=queues.queue_named("archive"), actor="operator", reason="why")
    assert told == "1 message purged, 1 job ended."
    job.refresh_from_db()
    assert job.is_stalled
    assert job.trouble.endswith("by staff: why")  # the log of what staff did names who
    assert world.storage.kept == kept


def test_a_purge_leaves_alone_a_job_that_has_moved_on_and_mails_that_are_owed(
    world: World, owner: User
) -> None:
    done = job_in(Status.CANCELLED, owner, wake_at=None)
    failed = job_in(Status.FAILED, owner, wake_at=None)
    notice = Notice.objects.create(job=failed, kind=Notice.Kind.FAILED, attempt=1)
    for queue, job in (("annotate", done), ("notify", failed)):
        world.letters.post(queue, body_of(queue, job.pk))
        told = queues.purge(queue=queues.queue_named(queue), actor="operator", reason="why")
        assert told == "1 message purged, 0 jobs ended."
    assert Job.objects.get(pk=done.pk).state is Status.CANCELLED
    assert Notice.objects.unsent().get() == notice
    assert not JobEvent.objects.exists()


def test_a_purge_that_breaks_off_keeps_what_it_did(
    world: World, monkeypatch: pytest.MonkeyPatch, staff: Client
) -> None:
    for _ in range(3):
        world.letters.post("thaw", "garbage")
    delete, calls = world.letters.delete, []

    def failing(url: str, letter: Any) -> None:
        calls.append(letter)
        if len(calls) == 2:
            raise StorageUnavailable(url)
        delete(url, letter)

    monkeypatch.setattr(stored, "delete", failing)
    assert "SQS does not answer" in do(staff, "purge").content.decode()
    assert StaffAct.objects.get().outcome == "1 message purged, 0 jobs ended."


@pytest.mark.parametrize("queue", ["", "nowhere", "gas-thaw"])
def test_a_queue_that_does_not_exist_is_refused(world: World, staff: Client, queue: str) -> None:
    assert (
        "There is no such queue; there are annotate, " in do(staff, "purge", queue).content.decode()
    )
    assert staff.post(ACT, {"act": "burn", "queue": "thaw"}).status_code == 400
    assert not StaffAct.objects.exists()


def test_the_page_stands_while_sqs_is_away(
    world: World, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(url: str) -> None:
        raise StorageUnavailable(url)

    monkeypatch.setattr(stored, "counts", away)
    page = staff.get(PAGE)
    assert page.status_code == 200
    assert "SQS has not answered" in page.content.decode()


def test_maintenance_is_begun_announced_and_ended_from_the_page(
    world: World, staff: Client
) -> None:
    place = "/admin/operations/maintenance/"
    begins = timezone.now() + HOUR
    wrong = {"message": "Disks", "begins_at": f"{begins:%Y-%m-%dT%H:%M}"}
    late = staff.post(place, wrong | {"ends_at": "2020-01-01T00:00"})
    assert "must end after it begins" in late.content.decode()
    assert late.status_code == 422
    page = staff.post(place, {"message": "Disks", "begins_at": "", "ends_at": ""}, follow=True)
    assert 'id="maintenance"' in page.content.decode()
    found = maintenance.current()
    assert found is not None
    assert found.message == "Disks."
    assert "End it" in staff.get(place).content.decode()
    staff.post(place, {"switch": "off"})
    assert maintenance.notice() is None
    kept = StaffAct.objects.order_by("pk").values_list("act", "actor", "reason")
    assert list(kept) == [
        ("begin maintenance", "operator", "Disks."),
        ("end maintenance", "operator", ""),
    ]


def test_costs_are_told_of_an_account_and_of_each_job(
    world: World,
    staff: Client,
    owner: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    jobs = [job_in(Status.COMPLETED, owner) for _ in range(5)]
    with django_assert_max_num_queries(8):
        page = staff.get(reverse("account_costs", args=[owner.pk])).content.decode()
    assert page.count("/admin/gas/job/") == 5
    assert "us-east-1" in page
    assert staff.get(reverse("job_costs", args=[jobs[0].pk])).status_code == 200
    assert staff.get(reverse("job_costs", args=[jobs[-1].pk + 1])).status_code == 404


def test_the_command_does_the_same(world: World) -> None:
    def said(*words: str) -> str:
        call_command("queue", *words, stdout=(out := StringIO()))
        return out.getvalue()

    world.letters.post("thaw", "garbage")
    assert "thaw is paused" in said("pause", "thaw", "--reason", "disks", "--by", "operator")
    assert "1 message moved back" in said("redrive", "thaw", "--reason", "mended")
    assert "0 messages purged" in said("purge", "thaw", "--reason", "mended")
    assert "goes on" in said("resume", "thaw", "--reason", "mended")
    with pytest.raises(CommandError, match="not paused"):
        said("resume", "thaw", "--reason", "mended")
    assert StaffAct.objects.filter(actor="operator").count() == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pause", "nowhere", "--reason", "a"), "There is no such queue; there are annotate, .*"),
        (("pause", "thaw"), "Please say why: it is written down."),
        (("pause", "thaw", "--reason", " "), "Please say why: it is written down."),
        (("resume", "thaw", "--reason", "a"), "thaw is not paused."),
        (("burn",), "Name one act of pause, .*, purge, and one queue of annotate, .*"),
        (("burn", "thaw", "--reason", "a"), "Name one act of pause, .*, and one queue of .*"),
        (("pause", "--reason", "a"), "Name one act of pause, .*, and one queue of annotate, .*"),
    ],
)
def test_what_the_command_does_not_do_it_tells_in_one_sentence(
    world: World, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=f"^{sentence}$"):
        call_command("queue", *words)
    assert not StaffAct.objects.exists()


def test_an_act_without_a_reason_is_refused_by_the_service_too() -> None:
    for verb in (queues.pause, queues.resume, queues.redrive, queues.purge):
        with pytest.raises(ActRefused, match="say why"):
            verb(queue=queues.queue_named("thaw"), actor="operator", reason=" ")


def test_a_day_without_anything_is_a_day_too(world: World, staff: Client) -> None:
    Sample.objects.create(at=timezone.now(), queues={"thaw": [None, None, None, None]})
    assert staff.get(PAGE).status_code == 200
