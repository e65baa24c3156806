"""Every act of the staff: asked for on a page, done to each row or refused, and written down."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from gas.admin import staff_site
from gas.admin.acting import Act, ActingAdmin
from gas.models import Job, Plan, StaffAct, Status, Upload, User
from gas.services.staff.acts import MOST_AT_ONCE
from tests.seams.world import World
from tests.unit.admin.conftest import MakeJob
from tests.unit.admin.test_jobs import SCRIPT, add_jobs

Press = Callable[..., list[str]]

JOBS = "/admin/gas/job/"


def every_act() -> list[tuple[type[Model], Act]]:
    """Each table with each of its acts."""
    tables: dict[type[Model], ModelAdmin[Model]] = dict(staff_site._registry)
    acting = [(model, each) for model, each in tables.items() if isinstance(each, ActingAdmin)]
    return [(model, act) for model, each in acting for act in each.acts]


EVERY_ACT = pytest.mark.parametrize(
    ("table", "act"),
    every_act(),
    ids=[f"{model.__name__}-{act.name}" for model, act in every_act()],
)


def address(table: type[Model]) -> str:
    return f"/admin/gas/{table.__name__.lower()}/"


def form_of(act: Act, *rows: Model) -> dict[str, object]:
    return {"action": act.name, "_selected_action": [row.pk for row in rows]}


def everything() -> list[object]:
    return [list(model._default_manager.order_by("pk").values()) for model in staff_site._registry]


def first(table: type[Model]) -> Model:
    row = table._default_manager.order_by("pk").first()
    assert row is not None
    return row


def test_there_are_acts_for_all_that_staff_do() -> None:
    assert {act.name for _, act in every_act()} == {
        *("retry", "cancel", "archive_now", "force_thaw", "park", "put_back", "delete"),
        *("grant", "end_grant", "set_limits", "lock", "unlock", "sign_out"),
        *("set_plan_limits", "end_sign_in", "revoke", "remove"),
    }


@EVERY_ACT
def test_an_act_is_confirmed_on_a_page_that_says_what_happens_to_how_many(
    world: World, staff: Client, one_of_each: Job, table: type[Model], act: Act
) -> None:
    before = everything()
    page = staff.post(address(table), form_of(act, first(table)))
    assert page.status_code == 200
    told = page.content.decode()
    assert page.context["act"] == act
    assert act.happens.split(",")[0] in told.replace("&#x27;", "'")
    assert f"{act.label}: 1 " in told
    assert 'name="reason"' in told
    assert ("This cannot be undone" in told) == act.is_final
    assert everything() == before


@EVERY_ACT
def test_no_act_happens_without_a_reason(
    world: World, staff: Client, one_of_each: Job, table: type[Model], act: Act
) -> None:
    before = everything()
    for reason in ("", "   ", "x" * 501):
        form = form_of(act, first(table)) | {"confirmed": "yes", "reason": reason}
        assert staff.post(address(table), form).status_code == 422
    assert everything() == before


@EVERY_ACT
def test_who_may_only_look_is_refused_and_offered_nothing(
    world: World, onlooker: Client, one_of_each: Job, table: type[Model], act: Act
) -> None:
    row, before = first(table), everything()
    form = form_of(act, row) | {"confirmed": "yes", "reason": "why not"}
    assert onlooker.post(address(table), form).status_code == 403
    for page in (address(table), f"{address(table)}{row.pk}/change/"):
        shown = onlooker.get(page)
        assert shown.status_code == 200
        assert f'value="{act.name}"'.encode() not in shown.content
    assert everything() == before


@EVERY_ACT
def test_no_visitor_acts_no_get_does_and_no_other_site(
    client: Client, staff: Client, stranger: User, one_of_each: Job, table: type[Model], act: Act
) -> None:
    client.force_login(stranger, "django.contrib.auth.backends.ModelBackend")
    before = everything()
    form = form_of(act, first(table)) | {"confirmed": "yes", "reason": "why not"}
    assert Client().post(address(table), form).status_code == 302
    assert client.post(address(table), form).status_code == 404
    staff.get(f"{address(table)}?{urlencode(form, doseq=True)}")
    staff.handler.enforce_csrf_checks = True
    assert staff.post(address(table), form).status_code == 403
    assert everything() == before


@EVERY_ACT
def test_the_page_of_a_row_leads_to_its_acts(
    staff: Client, one_of_each: Job, table: type[Model], act: Act
) -> None:
    row = first(table)
    page = staff.get(f"{address(table)}{row.pk}/change/").content.decode()
    assert f'<input type="hidden" name="action" value="{act.name}">' in page
    asked = staff.post(address(table), form_of(act, row) | {"from_row": "yes"})
    assert '<input type="hidden" name="from_row" value="yes">' in asked.content.decode()


def test_what_was_done_to_each_row_is_told_and_written_down_with_who_and_why(
    world: World, press: Press, make_job: MakeJob
) -> None:
    queued, over = make_job(), make_job(status=Status.FAILED, failure="No.", wake_at=None)
    assert press("job", "cancel", queued, over, reason="sent by mistake") == [
        f"Cancel: job {over.pk}: The job has finished already.",
        f"Cancel: job {queued.pk}: It is cancelled.",
    ]
    refused, done = StaffAct.objects.order_by("pk")
    assert (done.actor, done.act, done.kind, done.number) == (
        *("operator", "cancel", "job"),
        str(queued.pk),
    )
    assert (done.reason, done.done, done.outcome) == ("sent by mistake", True, "It is cancelled.")
    assert (refused.number, refused.done) == (str(over.pk), False)
    event = queued.events.get()
    assert (event.actor, event.after) == ("operator", "cancelled")
    assert event.reason == "cancelled by staff: sent by mistake"


def test_too_many_rows_at_once_are_refused_whole(world: World, press: Press, owner: User) -> None:
    chosen = add_jobs(owner, MOST_AT_ONCE + 1)
    assert press("job", "cancel", *chosen) == [f"Please choose at most {MOST_AT_ONCE} rows."]
    refused = press("job", "cancel", chosen[0], select_across="1")
    assert set(refused) == {f"Please choose at most {MOST_AT_ONCE} rows."}
    assert set(Job.objects.values_list("status", flat=True)) == {"queued"}
    assert not StaffAct.objects.exists()


@pytest.mark.parametrize("key", ["x", "", str(10**30), "1 OR 1=1"])
def test_a_key_that_no_row_has_is_refused(staff: Client, make_job: MakeJob, key: str) -> None:
    form = {"action": "cancel", "_selected_action": [key], "confirmed": "yes", "reason": "a"}
    assert staff.post(JOBS, form).status_code == 400


def test_rows_that_have_gone_meanwhile_are_told(press: Press, make_job: MakeJob) -> None:
    job = make_job()
    Job.objects.filter(pk=job.pk).delete()
    assert press("job", "cancel", job) == ["What you chose has gone."]


def test_back_to_the_row_if_it_is_still_there(
    world: World, staff: Client, make_job: MakeJob
) -> None:
    job = make_job()
    form = {"_selected_action": [job.pk], "confirmed": "yes", "reason": "a", "from_row": "yes"}
    cancelled = staff.post(JOBS, form | {"action": "cancel"})
    assert cancelled["Location"] == f"{JOBS}{job.pk}/change/"
    assert staff.post(JOBS, form | {"action": "delete"})["Location"] == JOBS


def test_hostile_names_and_reasons_are_text_on_every_page(
    world: World, staff: Client, press: Press, make_job: MakeJob, owner: User
) -> None:
    job = make_job(name=SCRIPT, filename=SCRIPT, notes=SCRIPT)
    asked = staff.post(JOBS, {"action": "park", "_selected_action": [job.pk]})
    press("job", "park", job, reason=SCRIPT)
    upload = f"/admin/gas/upload/{job.upload_id}/change/"
    pages = [staff.get(where) for where in (JOBS, f"{JOBS}{job.pk}/change/", upload)]
    pages.append(staff.get("/admin/gas/staffact/"))
    for page in [asked, *pages]:
        assert page.status_code == 200
        assert SCRIPT not in page.content.decode()
        assert "&lt;script&gt;" in page.content.decode()


def test_the_log_of_what_staff_did_leads_to_what_it_was_done_to(
    world: World, staff: Client, press: Press, make_job: MakeJob, stranger: User
) -> None:
    job = make_job()
    press("job", "cancel", job)
    press("user", "lock", stranger)
    page = staff.get("/admin/gas/staffact/").content.decode()
    assert f"{JOBS}{job.pk}/change/" in page
    assert f"/admin/gas/user/{stranger.pk}/change/" in page
    found = staff.get(f"/admin/gas/staffact/?q={job.pk}").context["cl"].result_list
    assert [act.act for act in found] == ["cancel"]
    for who, count in (("operator", 2), ("nobody", 0)):
        found = staff.get(f"/admin/gas/staffact/?q={who}").context["cl"].result_list
        assert len(found) == count


def test_what_staff_did_is_told_and_found_in_words(
    world: World, staff: Client, press: Press, owner: User
) -> None:
    press("user", "sign_out", owner)
    number = StaffAct.objects.get().pk
    places = ("staffact/", f"staffact/{number}/change/", f"user/{owner.pk}/change/")
    for page in (staff.get(f"/admin/gas/{place}").content.decode() for place in places):
        assert "sign out" in page
        assert ">sign_out" not in page
    for term in ("Sign out", "sign_out"):
        found = staff.get("/admin/gas/staffact/", {"q": term}).context["cl"].result_list
        assert [act.pk for act in found] == [number]


@pytest.mark.parametrize("until", ["", "yesterday", "2020-01-01", "9999-12-31"])
def test_premium_is_not_given_until_nonsense(
    world: World, staff: Client, owner: User, until: str
) -> None:
    form = {"action": "grant", "_selected_action": [owner.pk], "confirmed": "yes", "reason": "a"}
    answer = staff.post("/admin/gas/user/", form | {"until": until})
    assert answer.status_code == 422 or not StaffAct.objects.get().done
    assert not owner.grants.exists()


def test_premium_is_given_until_the_end_of_a_day(world: World, press: Press, owner: User) -> None:
    day = (timezone.now() + timedelta(days=30)).date()
    [told] = press("user", "grant", owner, until=day.isoformat())
    assert f"Premium until {day + timedelta(days=1)} 00:00 UTC." in told
    owner.refresh_from_db()
    assert owner.is_premium


def test_limits_are_set_and_the_form_shows_those_that_hold(
    staff: Client, press: Press, owner: User
) -> None:
    [told] = press("user", "set_limits", owner, max_active_jobs="3", max_jobs_a_day="0")
    assert told.endswith("Its own limits: 3 active jobs, 0 jobs a day.")
    owner.refresh_from_db()
    assert (owner.limits.max_active_jobs, owner.limits.max_jobs_a_day) == (3, 0)
    assert owner.limits.max_stored_bytes == owner.plan.max_stored_bytes
    asked = staff.post("/admin/gas/user/", {"action": "set_limits", "_selected_action": owner.pk})
    assert asked.context["form"]["max_active_jobs"].value() == 3
    press("user", "set_limits", owner)
    owner.refresh_from_db()
    assert owner.limits.max_active_jobs == owner.plan.max_active_jobs


@pytest.mark.parametrize("number", ["-1", "x", str(2**31), "1.5"])
def test_a_limit_is_a_number_that_fits(staff: Client, owner: User, number: str) -> None:
    form = {"action": "set_limits", "_selected_action": [owner.pk], "confirmed": "yes"}
    answer = staff.post("/admin/gas/user/", form | {"reason": "a", "max_active_jobs": number})
    assert answer.status_code == 422


def test_the_limits_of_a_plan_are_all_needed_but_the_one_of_a_day(
    press: Press, owner: User
) -> None:
    free = Plan.objects.get(pk=Plan.FREE)
    numbers = {"max_upload_bytes": 1, "max_active_jobs": 2, "max_running_jobs": 3}
    [told] = press("plan", "set_plan_limits", free, **numbers)
    assert "A plan needs a number of: stored bytes." in told
    told = press("plan", "set_plan_limits", free, **numbers, max_stored_bytes=4)[-1]
    assert "3 running jobs, 4 stored bytes, any jobs a day." in told
    owner.refresh_from_db()
    assert (owner.limits.max_active_jobs, owner.limits.max_jobs_a_day) == (2, None)


def test_an_upload_that_no_job_uses_is_removed_and_another_is_not(
    world: World, press: Press, make_job: MakeJob, owner: User
) -> None:
    job, loose = make_job(), Upload.objects.create(owner=owner, filename="loose.vcf")
    told = press("upload", "remove", job.upload, loose)
    assert any(f"Job {job.pk} uses it" in each for each in told)
    assert list(Upload.objects.all()) == [job.upload]
    assert owner.events.get().what == f"removed upload {loose.pk}: they asked"
