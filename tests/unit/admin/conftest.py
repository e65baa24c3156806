"""Somebody of the staff, and rows of every table to look at."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from gas.models import (
    AccountEvent,
    Alarm,
    Discard,
    Job,
    JobEvent,
    Notice,
    Reconciliation,
    ResultFile,
    Status,
    Subscription,
    Upload,
    User,
)

MakeJob = Callable[..., Job]


@pytest.fixture
def operator(db: None) -> User:
    """Somebody of the staff, without any of Django's permissions."""
    return User.objects.create_user("operator", "operator@example.org", is_staff=True)


@pytest.fixture
def staff(operator: User) -> Client:
    """The browser of somebody of the staff, who showed a second factor."""
    client = Client()
    client.force_login(operator)
    session = client.session
    session["proven_at"] = time.time()
    session.save()
    return client


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
    return job
