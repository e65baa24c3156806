"""Leaving: the account is closed and nameless at once, and nothing of it stays."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db.models.functions import Now
from django.test import Client

from gas.billing.protocol import BillingUnavailable, SubscriptionState
from gas.globus import tokens
from gas.models import (
    AccountEvent,
    ApiToken,
    DeclinedTopic,
    GlobusToken,
    Job,
    Notice,
    Scope,
    SignIn,
    Status,
    Subscription,
    Topic,
    Upload,
    User,
)
from gas.services import accounts, api_tokens
from gas.storage.errors import StorageUnavailable
from tasks import leaving
from tests.seams.billing import FakeBilling
from tests.seams.outcome import LARGE
from tests.seams.world import World
from tests.unit.domain.rows import job_in
from tests.unit.views.conftest import signed_in

ACTIVE = SubscriptionState.ACTIVE


@pytest.fixture
def settled(owner: User) -> User:
    """Somebody with everything that an account can have."""
    SocialAccount.objects.create(user=owner, provider="globus", uid="1", extra_data={})
    GlobusToken.objects.create(
        user=owner, resource_server="a", access_token=b"", refresh_token=b"", expires_at=Now()
    )
    api_tokens.issue(user=owner, name="a", scopes=[Scope.READ], lifetime=timedelta(days=1))
    accounts.decline(user=owner, topic=Topic.FAILED)
    SignIn.objects.create(user=owner, session_key="k")
    return owner


def confirm(client: Client, words: str = "delete everything") -> int:
    return client.post("/account/leave/", {"words": words}).status_code


@pytest.mark.parametrize("words", ["", "yes", "delete", "delete everything else"])
def test_nothing_goes_without_the_words(world: World, settled: User, words: str) -> None:
    world.queued(settled)
    assert confirm(signed_in(settled), words) == 422
    assert Job.objects.count() == User.objects.count() == 1


def test_looking_at_the_page_deletes_nothing(world: World, settled: User) -> None:
    world.queued(settled)
    page = signed_in(settled).get("/account/leave/").content.decode()
    assert "1 job, whatever it is at" in page
    assert Job.objects.count() == 1


def test_confirming_leaves_no_row_of_the_account_but_that_it_was_deleted(
    world: World, settled: User
) -> None:
    world.queued(settled)
    number = settled.pk
    assert confirm(signed_in(settled), " Delete  everything ") == 302
    kinds = (User, Job, Upload, ApiToken, GlobusToken, DeclinedTopic, SignIn, SocialAccount, Notice)
    for model in kinds:
        assert not model._default_manager.exists(), model
    event = AccountEvent.objects.get()
    assert (event.account_id, event.actor) == (number, "owner")
    assert event.what == "deleted everything: 1 jobs, 1 uploads"


def test_every_browser_of_the_account_is_signed_out(world: World, settled: User) -> None:
    here, there = signed_in(settled), signed_in(settled)
    confirm(here)
    for browser in (here, there):
        assert browser.get("/jobs/").status_code == 302


def test_a_large_account_is_nameless_at_once_and_gone_after_some_sweeps(
    world: World, settled: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        job_in(Status.COMPLETED, settled)
    monkeypatch.setattr(accounts, "AT_ONCE", 2)
    monkeypatch.setattr(leaving, "MOST_AT_ONCE", 2)
    accounts.leave(user=settled)
    row = User.objects.get()
    assert (row.username, row.email, row.is_active) == (f"left-{row.pk}", "", False)
    for model in (ApiToken, GlobusToken, DeclinedTopic, SignIn, SocialAccount):
        assert not model._default_manager.exists(), model
    assert Job.objects.count() == 3
    for _ in range(4):
        world.an_hour_passes()
    assert not User.objects.exists()
    assert not Job.objects.exists()


def test_while_storage_is_down_the_account_goes_and_its_bytes_follow(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.archived(owner)

    def down(_name: str) -> None:
        raise StorageUnavailable("S3 is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.fate, "step", down)
        accounts.leave(user=owner)
    assert not User.objects.exists()
    assert world.archive.copies
    for _ in range(4):
        world.an_hour_passes()
    assert (world.storage.kept, world.archive.copies) == ({}, {})


def test_a_subscription_is_ended_at_the_provider_first(
    world: World, owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    accounts.leave(user=User.objects.get())
    assert billing.cancelled == ["sub_1"]
    assert not Subscription.objects.exists()


def test_nothing_is_deleted_while_the_subscription_cannot_be_ended(
    world: World, owner: User, billing: FakeBilling, monkeypatch: pytest.MonkeyPatch
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    world.queued(owner)

    def away(*, subscription_id: str) -> None:
        raise BillingUnavailable("no answer")

    monkeypatch.setattr(billing, "cancel", away)
    with pytest.raises(BillingUnavailable):
        accounts.leave(user=User.objects.get())
    row = User.objects.get()
    assert (row.is_active, row.left_at, Job.objects.count()) == (True, None, 1)


def test_what_was_bought_by_somebody_who_has_left_is_ended_too(
    world: World, owner: User, billing: FakeBilling
) -> None:
    accounts.leave(user=owner)
    billing.tell("evt_1", "sub_1", ACTIVE)
    assert billing.cancelled == ["sub_1"]
    assert not Subscription.objects.exists()


def test_what_is_bought_in_another_window_by_somebody_who_leaves_is_ended_too(
    world: World, owner: User, billing: FakeBilling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "forget", lambda user: billing.tell("evt_1", "sub_1", ACTIVE))
    accounts.leave(user=owner)
    assert billing.cancelled == ["sub_1"]
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("begun", "task", "verb"),
    [(World.completed, "archive", "store"), (World.restoring, "restore", "bring_back")],
)
def test_a_worker_whose_account_goes_while_it_copies_the_last_file_lets_go_and_clears_up(
    world: World,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    begun: Callable[[World, User], Job],
    task: str,
    verb: str,
) -> None:
    begun(world, owner)
    copy = getattr(world.archive, verb)
    copied: list[Any] = []

    def meanwhile(*args: Any, **options: Any) -> Any:
        copied.append(copy(*args, **options))
        if len(copied) == len(LARGE):
            accounts.leave(user=owner)
        return copied[-1]

    monkeypatch.setattr(world.archive, verb, meanwhile)
    assert world.broker.deliver(task) == "IGNORED"
    assert not User.objects.exists()
    world.until_quiet()
    assert (world.storage.kept, world.archive.copies) == ({}, {})


def test_who_comes_back_opens_a_new_account_although_the_old_one_still_empties(
    world: World, settled: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.queued(settled)
    monkeypatch.setattr(accounts, "AT_ONCE", 0)
    accounts.leave(user=settled)
    assert User.objects.create_user(settled.username).pk != settled.pk


def test_leaving_twice_is_leaving_once(
    world: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.queued(owner)
    monkeypatch.setattr(accounts, "AT_ONCE", 0)
    for _ in range(2):
        accounts.leave(user=owner)
    world.an_hour_passes()
    accounts.leave(user=owner)
    assert not User.objects.exists()
    assert AccountEvent.objects.count() == 1


def test_nobody_elses_data_goes(world: World, settled: User, stranger: User) -> None:
    kept = world.queued(stranger)
    accounts.leave(user=settled)
    assert Job.objects.get() == kept
    assert User.objects.get() == stranger
