"""The staff pages: nothing for axe-core to find, no sideways scrolling, and pictures."""

import time
from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.utils import timezone

from gas.models import Failure, JobEvent, Notice, Scope, SignIn, StaffAct, Status, User
from gas.services import api_tokens
from tests.browser.conftest import Window
from tests.browser.test_looks import lasting as lasting
from tests.browser.test_looks import look_at
from tests.browser.test_looks import window as window
from tests.stage import Shelf, job_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans")]


@pytest.fixture
def staff(window: Window) -> Window:
    """A window of somebody of the staff who showed a second factor."""
    operator = User.objects.create_user("operator", first_name="Staff", last_name="Operator")
    User.objects.filter(pk=operator.pk).update(is_staff=True, is_superuser=True)
    window.sign_in(operator)
    key = window.context.cookies()[0].get("value", "")
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    session["proven_at"] = time.time()
    session.save()
    return window


@pytest.fixture
def busy(owner: User, shelf: Shelf) -> dict[str, int]:
    """Jobs in every state and an account with everything; returns what the pages are about."""
    names = ["Trio 7, exome", "Founders", 90 * "W"]
    for number, status in enumerate(Status):
        job = job_in(status, owner=owner, shelf=shelf, name=names[number % 3])
    failed = job_in(
        *(Status.FAILED,), owner=owner, shelf=shelf, failure_kind=Failure.OURS, trouble="denied"
    )
    JobEvent.objects.create(job=job, actor="sweep", before=job.status, after=job.status, reason="a")
    Notice.objects.create(job=job, kind=Notice.Kind.COMPLETED, attempt=1)
    for act in ("retry", "park"):
        StaffAct.objects.create(
            actor="operator",
            act=act,
            kind="job",
            number=job.pk,
            reason="The disk was full.",
            done=act == "retry",
            outcome="The message for restore is on its way.",
        )
    SignIn.objects.create(user=owner, session_key="k", browser="Firefox on Linux")
    api_tokens.issue(user=owner, name="laptop", scopes=[Scope.READ], lifetime=timedelta(days=9))
    owner.grants.create(
        until=timezone.now() + timedelta(days=30), reason="a course", given_by="operator"
    )
    return {"job": job.pk, "failed": failed.pk, "user": owner.pk}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("index", "/admin/"),
        ("jobs", "/admin/gas/job/"),
        ("job", "/admin/gas/job/{job}/change/"),
        ("user", "/admin/gas/user/{user}/change/"),
        ("acts", "/admin/gas/staffact/"),
    ],
)
def test_a_staff_page(staff: Window, busy: dict[str, int], name: str, path: str) -> None:
    look_at(staff.open(path.format(**busy)), f"staff-{name}")


@pytest.mark.parametrize(
    ("table", "button"), [("job", "Force a thaw…"), ("job", "Delete…"), ("user", "Set limits…")]
)
def test_an_act_from_the_button_to_the_question(
    staff: Window, busy: dict[str, int], table: str, button: str
) -> None:
    page = staff.open(f"/admin/gas/{table}/{busy[table]}/change/")
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_label("Why").wait_for()
    look_at(page, f"staff-confirm-{button[:-1].lower().replace(' ', '-')}")
    page.get_by_role("link", name="No, take me back").click()
    page.wait_for_url(f"**/admin/gas/{table}/{busy[table]}/change/")


def test_an_act_that_is_confirmed_is_told_and_seen_in_the_log(
    staff: Window, busy: dict[str, int]
) -> None:
    page = staff.open(f"/admin/gas/job/{busy['failed']}/change/")
    page.get_by_role("button", name="Put back…").click()
    page.get_by_label("Why").fill("The bucket is open again.")
    page.get_by_role("button", name="Put back").click()
    page.get_by_text("Its trouble is noted as over.").first.wait_for()
    look_at(page, "staff-done")
    assert "The bucket is open again." in page.content()
