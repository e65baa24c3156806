"""Programs that ask at the same moment: one job of a key, and no request beyond the allowance."""

import json
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from gas.models import Allowance, IdempotencyKey, Job, Plan, Scope, Upload, User
from gas.services import api_tokens
from tests.database.threads import at_once
from tests.seams.world import World

AT_ONCE = 4


@pytest.fixture
def secret(owner: User) -> str:
    scopes = [Scope.READ, Scope.WRITE]
    day = timedelta(days=1)
    return api_tokens.issue(user=owner, name="a", scopes=scopes, lifetime=day).secret


def post(secret: str, path: str, body: Any, key: str) -> tuple[int, int]:
    """The status, and the number of the job that is told of."""
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}
    answer = Client(headers=headers).post(f"/api/v1{path}", body, "application/json")
    return answer.status_code, json.loads(answer.content).get("id", 0)


def test_one_request_sent_several_times_at_once_makes_one_job_and_leaves_no_file_over(
    world: World, owner: User, secret: str
) -> None:
    ask = partial(post, secret, "/jobs", {"example": True}, "k-1")
    told = at_once(*[ask] * AT_ONCE)
    assert set(told) == {(201, Job.objects.get().pk)}
    assert [upload.jobs.count() for upload in Upload.objects.all()] == [1]
    assert IdempotencyKey.objects.get().job == Job.objects.get()
    assert ask() in told


def test_several_keys_at_once_make_a_job_each(world: World, owner: User, secret: str) -> None:
    asks = [
        partial(post, secret, "/jobs", {"example": True}, f"k-{number}")
        for number in range(AT_ONCE)
    ]
    told = at_once(*asks)
    assert {status for status, _ in told} == {201}
    assert {number for _, number in told} == set(Job.objects.values_list("pk", flat=True))
    assert Job.objects.count() == AT_ONCE


def test_a_rerun_asked_several_times_at_once_under_one_key_is_one_job(
    world: World, owner: User, secret: str
) -> None:
    job = world.submitted(owner)
    Job.objects.filter(pk=job.pk).update(status="cancelled", wake_at=None)
    told = at_once(*[partial(post, secret, f"/jobs/{job.pk}/rerun", {}, "k-1")] * AT_ONCE)
    assert set(told) == {(201, Job.objects.latest("pk").pk)}
    assert Job.objects.count() == 2


def test_no_request_gets_through_beyond_the_allowance_however_many_ask_at_once(
    secret: str,
) -> None:
    most = 5
    Plan.objects.update(requests_per_minute=most)

    def ask() -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        return Client(headers=headers).get("/api/v1/bundles").status_code

    told = Counter(at_once(*[ask] * 3 * most))
    assert set(told) <= {200, 429}
    assert told[200] in (most, most + 1)  # one comes back every twelve seconds


def test_an_allowance_comes_back_evenly_by_the_clock_of_the_database() -> None:
    first = Allowance.take("somebody", per_minute=2)
    assert (first.remaining, first.reset, first.refused) == (1, 30, False)
    assert Allowance.take("somebody", per_minute=2).remaining == 0
    refused = Allowance.take("somebody", per_minute=2)
    assert (refused.refused, refused.wait, refused.remaining) == (True, 30, 0)
    row = Allowance.objects.get()
    Allowance.objects.update(spent_until=row.spent_until - 30)
    assert Allowance.take("somebody", per_minute=2).refused is False
