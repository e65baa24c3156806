"""Somebody of the staff, and rows of every table to look at."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from gas.models import (
    AccountEvent,
    Alarm,
    ApiToken,
    BillingEvent,
    Discard,
    Grant,
    Job,
    JobEvent,
    Notice,
    Reconciliation,
    ResultFile,
    SignIn,
    StaffAct,
    Status,
    Subscription,
    Upload,
    User,
    Webhook,
)

MakeJob = Callable[..., Job]


@pytest.fixture
def operator(db: None) -> User:
    """Somebody of the staff who may act."""
    staff = User.objects.create_user("operator", "operator@example.org", is_staff=True)
    staff.is_superuser = True
    staff.save()
    return staff


@pytest.fixture
def onlooker(db: None) -> Client:
    """The browser of somebody of the staff who may look and not act."""
    return at_the_staff_pages(User.objects.create_user("onlooker", is_staff=True))


@pytest.fixture
def staff(operator: User) -> Client:
    """The browser of somebody of the staff, who showed a second factor."""
    return at_the_staff_pages(operator)


def at_the_staff_pages(user: User) -> Client:
    """Sign somebody in who shows a second factor."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["proven_at"] = time.time()
    session.save()
    return client


@pytest.fixture
def press(staff: Client) -> Callable[..., list[str]]:
    """Choose an act for some rows of a table and confirm it; returns what staff are told."""

    def post(table: str, act: str, *rows: Model, **choices: object) -> list[str]:
        form = {"action": act, "_selected_action": [row.pk for row in rows], "confirmed": "yes"}
        answer = staff.post(f"/admin/gas/{table}/", {"reason": "they asked"} | form | choices)
        assert answer.status_code == 302, answer.context["form"].errors
        return [str(message) for message in get_messages(answer.wsgi_request)]

    return post


@pytest.fixture
def make_job(owner: User) -> MakeJob:
    """Make a job with an upload of its own."""

    def make(**columns: Any) -> Job:
        holder = columns.pop("owner", owner)
        filename = columns.pop("filename", "cohort.vcf")
        upload = Upload.objects.create(owner=holder, filename=filename)
        return Job.objects.create(owner=holder, upload=upload, **({"name": "Cohort 7"} | columns))

    return make


@pytest.fixture
def one_of_each(make_job: MakeJob, subscriber: User) -> Job:
    """A job with a row in every table that staff see."""
    job = make_job(status=Status.FAILED, failure="Line 12: the position is not a number.")
    JobEvent.objects.create(job=job, actor="owner", after=Status.QUEUED, reason="submitted")
    Notice.objects.create(job=job, kind=Notice.Kind.FAILED, attempt=1)
    Alarm.raise_once("a job", "Job 7 is stuck.", job=job)
    Discard.objects.create(
        job=job, kind=Discard.Kind.OBJECT, place="s3://gas-results/results/7/1/a"
    )
    AccountEvent.objects.create(account_id=0, actor="owner", what="deleted everything")
    Reconciliation.objects.create(counts={"results without a row": 1})
    ResultFile.objects.create(job=job, kind=ResultFile.Kind.LOG, key="a/b.log", size=1, sha256="0")
    Subscription.objects.create(
        user=subscriber, customer_id="cus_1", provider_id="sub_1", started_at=timezone.now()
    )
    BillingEvent.objects.create(event_id="evt_1", kind="started", subscription="sub_1")
    soon = timezone.now() + timedelta(days=1)
    Grant.objects.create(user=job.owner, until=soon, reason="a course", given_by="operator")
    SignIn.objects.create(user=job.owner, session_key="planted-key", browser="Firefox on Linux")
    ApiToken.objects.create(
        user=job.owner, name="laptop", digest="planted-digest", scopes=[], expires_at=soon
    )
    Webhook.objects.create(
        owner=job.owner, url="https://example.org/planted-path", secret=b"", events=[]
    )
    StaffAct.objects.create(
        actor="operator", act="cancel", kind="job", number=job.pk, reason="a", done=True, outcome=""
    )
    return job
