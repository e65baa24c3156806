"""The account by the API: plan and usage, subscription, tokens; and the references."""

from typing import Any

import pytest
from django.test import Client

from gas import problems
from gas.models import ApiToken, Scope, Status, Subscription, User
from tests.seams.billing import FakeBilling
from tests.stage import Shelf, job_in
from tests.unit.api.calls import ROOT
from tests.unit.api.conftest import program_of

pytestmark = pytest.mark.django_db


def get(program: Client, path: str) -> Any:
    return program.get(f"{ROOT}{path}").json()


def post(program: Client, path: str) -> Any:
    return program.post(f"{ROOT}{path}", content_type="application/json")


def test_me_tells_the_plan_what_is_in_use_and_the_token(
    program: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    User.objects.filter(pk=owner.pk).update(own_max_active_jobs=7)
    told = get(program, "/me")
    assert told["account"] == owner.username
    assert (told["plan"]["name"], told["plan"]["max_active_jobs"]) == ("free", 7)
    assert told["plan"]["retention_seconds"] == 300
    assert told["usage"] == {
        "active_jobs": 1,
        "stored_bytes": job.upload.size,
        "jobs_today": 0,
    }
    assert told["token"]["scopes"] == sorted(Scope)
    assert owner.email not in str(told)


def test_results_of_a_subscriber_stay(subscriber: User) -> None:
    assert get(program_of(subscriber), "/me")["plan"]["retention_seconds"] is None


def test_a_subscription_is_told_and_where_to_pay_or_manage_it(
    program: Client, owner: User, shelf: Shelf, billing: FakeBilling
) -> None:
    job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    told = get(program, "/subscription")
    assert (told["plan"], told["status"]) == ("free", None)
    assert (told["archived_jobs"], told["dated_jobs"]) == (1, 1)
    assert told["first_goes_at"]
    pay = post(program, "/subscription/checkout")
    assert pay.json() == {"url": "https://pay.example.org"}
    none = post(program, "/subscription/portal")
    assert (none.status_code, none.json()["type"]) == (409, problems.SUBSCRIPTION_REFUSED.address)
    Subscription.objects.create(
        user=owner, customer_id="cus_1", provider_id="sub", started_at=owner.date_joined
    )
    assert get(program, "/subscription")["status"] == "active"
    assert post(program, "/subscription/checkout").status_code == 409
    manage = post(program, "/subscription/portal").json()
    assert manage == {"url": "https://portal.example.org/cus_1"}


def test_tokens_are_listed_without_secrets_and_revoked(program: Client, owner: User) -> None:
    other = program_of(owner, Scope.READ)
    told = get(program, "/tokens")["items"]
    assert [each["scopes"] for each in told] == [[Scope.READ], sorted(Scope)]
    assert "digest" not in str(told)
    assert "gas_" not in str(told)
    assert other.get(f"{ROOT}/jobs").status_code == 200
    assert program.delete(f"{ROOT}/tokens/{told[0]['id']}").status_code == 204
    assert other.get(f"{ROOT}/jobs").status_code == 401
    assert program.delete(f"{ROOT}/tokens/{told[0]['id']}").status_code == 404


def test_any_token_can_revoke_itself(owner: User) -> None:
    program = program_of(owner, Scope.READ)
    assert program.delete(f"{ROOT}/tokens/current").status_code == 204
    assert program.get(f"{ROOT}/bundles").status_code == 401
    assert ApiToken.objects.get().revoked_at


def test_references_are_told_with_the_releases_of_their_sources(program: Client) -> None:
    (usual, *_) = get(program, "/bundles")["items"]
    assert (usual["name"], usual["assembly"], usual["is_default"]) == (
        "demo-grch38",
        "GRCh38",
        True,
    )
    assert get(program, "/bundles/demo-grch38") == usual
    assert program.get(f"{ROOT}/bundles/nothing").status_code == 404
