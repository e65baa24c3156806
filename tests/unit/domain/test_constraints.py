"""The database refuses nonsense: every named constraint, provoked."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from gas.models import (
    IN_FLIGHT,
    ApiToken,
    DeclinedTopic,
    GlobusToken,
    Grant,
    IdempotencyKey,
    Job,
    Maintenance,
    Notice,
    Plan,
    QueueState,
    ResultFile,
    Status,
    Subscription,
    Upload,
    User,
    Webhook,
)
from tests.unit.domain.rows import NEEDS, job_in


def put(owner: User, status: str, **columns: object) -> None:
    """Force a row into a state past every guard."""
    Job.objects.filter(pk=job_in(Status.QUEUED, owner).pk).update(status=status, **columns)


def file(owner: User, kind: str = "vcf", **columns: str) -> ResultFile:
    job = Job.objects.first() or job_in(Status.QUEUED, owner)
    return ResultFile.objects.create(
        job=job, kind=kind, key="key", size=1, sha256="0" * 64, **columns
    )


def twice(make: Callable[[], object]) -> None:
    make()
    make()


def subscription(owner: User, **columns: object) -> Subscription:
    usual = {"user": owner, "customer_id": "cus", "provider_id": "sub", "started_at": Now()}
    return Subscription.objects.create(**(usual | columns))


def ended(owner: User) -> Subscription:
    return subscription(owner, status="ended", ended_at=Now())


def token(owner: User) -> GlobusToken:
    return GlobusToken.objects.create(
        user=owner, resource_server="transfer", access_token=b"", expires_at=Now()
    )


def notice(owner: User) -> Notice:
    job = Job.objects.first() or job_in(Status.QUEUED, owner)
    return Notice.objects.create(job=job, kind="completed", attempt=1)


def api_token(owner: User, **columns: object) -> ApiToken:
    usual = {"user": owner, "name": "a", "digest": "0" * 64, "scopes": []}
    return ApiToken.objects.create(**(usual | {"expires_at": Now() + timedelta(days=1)} | columns))


def subscription_mail(owner: User) -> Notice:
    about = Subscription.objects.first() or subscription(owner)
    return Notice.objects.create(subscription=about, kind="ended", attempt=1)


def webhook(owner: User, **columns: object) -> Webhook:
    usual: dict[str, object] = {"url": "https://a.example.org", "secret": b"", "events": []}
    return Webhook.objects.create(owner=owner, **(usual | columns))


def webhook_mail(owner: User) -> Notice:
    about = Webhook.objects.first() or webhook(owner)
    return Notice.objects.create(webhook=about, kind="unhooked", attempt=1)


def grant(owner: User, **columns: object) -> Grant:
    usual = {"until": Now() + timedelta(days=1), "reason": "a", "given_by": "b"}
    return Grant.objects.create(user=owner, **(usual | columns))


def key(owner: User) -> IdempotencyKey:
    return IdempotencyKey.objects.create(user=owner, key="a", request="0" * 64)


NONSENSE: dict[str, Callable[[User], object]] = {
    "known_status": lambda owner: put(owner, "lost"),
    "failed_needs_a_reason": lambda owner: put(owner, Status.FAILED),
    "completed_needs_results": lambda owner: put(owner, Status.COMPLETED, completed_at=Now()),
    "archived_needs_receipts": lambda owner: put(owner, Status.ARCHIVED),
    "only_work_in_flight_is_leased": lambda owner: put(owner, Status.QUEUED, lease_until=Now()),
    "only_running_jobs_are_told_of": lambda owner: put(owner, Status.QUEUED, stage="annotate"),
    "parts_were_announced": lambda owner: Upload.objects.create(
        owner=owner, filename="a", parts_id="1"
    ),
    "complete_upload_has_a_size": lambda owner: Upload.objects.create(
        owner=owner, filename="a", status="complete"
    ),
    "refused_upload_has_a_reason": lambda owner: Upload.objects.create(
        owner=owner, filename="a", status="refused"
    ),
    "one_file_of_a_kind": lambda owner: twice(lambda: file(owner)),
    "retrieval_needs_an_archived_copy": lambda owner: file(owner, retrieval_id="r"),
    "one_mail_of_a_kind": lambda owner: twice(lambda: notice(owner)),
    "one_subscription_mail_of_a_kind": lambda owner: twice(lambda: subscription_mail(owner)),
    "one_webhook_mail_of_a_kind": lambda owner: twice(lambda: webhook_mail(owner)),
    "disabled_webhook_has_a_reason": lambda owner: webhook(owner, disabled_at=Now()),
    "failing_webhook_has_a_date": lambda owner: webhook(owner, failures=1),
    "old_secret_of_a_webhook_ends": lambda owner: webhook(owner, old_secret=b"a"),
    "one_grant_at_a_time": lambda owner: twice(lambda: grant(owner)),
    "grant_lasts_for_a_while": lambda owner: grant(owner, until=Now() - timedelta(days=1)),
    "a_pause_is_somebodys": lambda owner: QueueState.objects.create(name="a", paused_at=Now()),
    "maintenance_lasts_a_while": lambda owner: Maintenance.objects.create(
        message="a", begun_by="b", ends_at=Now() - timedelta(days=1)
    ),
    "one_request_of_a_key": lambda owner: twice(lambda: key(owner)),
    "a_mail_is_about_one_thing": lambda owner: Notice.objects.create(kind="ended", attempt=1),
    "one_token_of_a_digest": lambda owner: twice(lambda: api_token(owner)),
    "token_lives_for_a_while": lambda owner: api_token(owner, expires_at=Now() - timedelta(days=1)),
    "topic_declined_once": lambda owner: twice(
        lambda: DeclinedTopic.objects.create(user=owner, topic="failed")
    ),
    "one_active_subscription": lambda owner: [
        subscription(owner, provider_id=name) for name in ("sub-1", "sub-2")
    ],
    "subscription_known_once": lambda owner: twice(lambda: ended(owner)),
    "ended_subscription_has_a_date": lambda owner: subscription(owner, status="ended"),
    "one_token_per_resource_server": lambda owner: twice(lambda: token(owner)),
}


def test_every_named_constraint_is_provoked_here() -> None:
    models = apps.get_app_config("gas").get_models()
    names = {constraint.name for model in models for constraint in model._meta.constraints}
    assert names == set(NONSENSE)


@pytest.mark.parametrize("name", NONSENSE)
def test_the_database_refuses_nonsense(owner: User, name: str) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        NONSENSE[name](owner)
    unique_on_sqlite = "UNIQUE constraint failed"
    assert name in str(refused.value) or unique_on_sqlite in str(refused.value)


@pytest.mark.parametrize("status", sorted(Status))
def test_a_job_is_leased_in_flight_and_at_no_other_time(owner: User, status: Status) -> None:
    job = job_in(status, owner)
    leased = Job.objects.filter(pk=job.pk)
    if status in IN_FLIGHT:
        assert leased.update(lease_until=Now() + timedelta(minutes=1)) == 1
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            leased.update(lease_until=Now() + timedelta(minutes=1))


@pytest.mark.parametrize("missing", ["result_prefix", "completed_at"])
def test_a_completed_job_has_results_and_a_date(owner: User, missing: str) -> None:
    needs = {name: value for name, value in NEEDS[Status.COMPLETED].items() if name != missing}
    with pytest.raises(IntegrityError), transaction.atomic():
        put(owner, Status.COMPLETED, **needs)


def test_a_new_subscription_may_follow_one_that_ended(owner: User) -> None:
    ended(owner)
    assert subscription(owner, provider_id="sub-2").status == Subscription.Status.ACTIVE


def test_the_plans_of_the_service_are_there(db: None) -> None:
    assert dict(Plan.objects.values_list("name", "archives")) == {"free": True, "premium": False}
