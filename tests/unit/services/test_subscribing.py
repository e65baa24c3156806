"""What a payment event changes, and what a repeated, late or doubled one does not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks

from gas.billing.protocol import BillingUnavailable, Event, EventKind, SubscriptionState
from gas.models import BillingEvent, Job, Status, Subscription, User
from gas.services import subscriptions
from gas.services.subscriptions import SubscriptionRefused
from tests.seams.billing import FakeBilling
from tests.seams.world import World, read, state
from tests.unit.domain.rows import job_in

Commit = DjangoCaptureOnCommitCallbacks


def plan(owner: User) -> str:
    return User.objects.select_related("plan").get(pk=owner.pk).plan.name


ACTIVE, ENDED = SubscriptionState.ACTIVE, SubscriptionState.ENDED


def test_a_paid_subscription_keeps_what_is_there_and_asks_the_rest_back(
    world: World, owner: User, billing: FakeBilling, django_capture_on_commit_callbacks: Commit
) -> None:
    kept, asked = job_in(Status.COMPLETED, owner), job_in(Status.ARCHIVED, owner, wake_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        billing.tell("evt_1", "sub_1", ACTIVE)
        assert world.broker.names() == []
    assert plan(owner) == "premium"
    assert read(kept).wake_at is None
    sent = [(m.task, m.args) for m in world.broker.arrived()]
    assert sorted(sent) == [("notify", ()), ("thaw", (asked.pk,))]
    assert world.broker.deliver("thaw") == "SUCCESS"
    assert state(asked) is Status.THAWING


def test_nobody_elses_jobs_are_touched(
    world: World, owner: User, stranger: User, billing: FakeBilling
) -> None:
    theirs = job_in(Status.COMPLETED, stranger)
    billing.tell("evt_1", "sub_1", ACTIVE)
    assert read(theirs).wake_at is not None
    assert plan(stranger) == "free"


def test_a_repeated_webhook_changes_nothing(
    world: World, owner: User, billing: FakeBilling, django_capture_on_commit_callbacks: Commit
) -> None:
    job_in(Status.ARCHIVED, owner, wake_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            billing.tell("evt_1", "sub_1", ACTIVE)
        billing.tell("evt_2", "sub_1", ACTIVE)
    assert Subscription.objects.count() == 1
    assert sorted(world.broker.names()) == ["notify", "thaw"]
    assert BillingEvent.objects.count() == 2


def test_a_subscription_bought_twice_is_cancelled_at_the_provider(
    owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    billing.tell("evt_2", "sub_2", ACTIVE)
    billing.tell("evt_3", "sub_2", ENDED)
    assert billing.cancelled == ["sub_2"]
    active = Subscription.objects.get(status="active")
    assert (active.provider_id, plan(owner)) == ("sub_1", "premium")


def test_an_end_gives_every_result_a_date_after_the_grace(
    world: World, owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    job = job_in(Status.COMPLETED, owner, wake_at=None)
    billing.tell("evt_2", "sub_1", ENDED)
    assert plan(owner) == "free"
    grace = settings.DOWNGRADE_GRACE
    soon = timedelta(seconds=5)
    dated = Job.objects.filter(wake_at__gt=Now() + grace - soon, wake_at__lte=Now() + grace)
    assert dated.get() == job
    ended = Subscription.objects.get()
    assert (ended.status, ended.ended_at is None) == ("ended", False)


def test_an_end_lets_a_job_sleep_whose_thaw_has_not_begun(
    world: World, owner: User, billing: FakeBilling
) -> None:
    job = job_in(Status.ARCHIVED, owner, wake_at=None)
    billing.tell("evt_1", "sub_1", ACTIVE)
    assert read(job).wake_at is not None
    billing.tell("evt_2", "sub_1", ENDED)
    assert (read(job).wake_at, state(job)) == (None, Status.ARCHIVED)


def test_an_end_heard_twice_does_not_prolong_the_grace(
    world: World, owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    job = job_in(Status.COMPLETED, owner, wake_at=None)
    billing.tell("evt_2", "sub_1", ENDED)
    Job.objects.filter(pk=job.pk).update(wake_at=Now() + timedelta(days=1))
    before = read(job).wake_at
    billing.tell("evt_3", "sub_1", ENDED)
    assert read(job).wake_at == before


def test_who_comes_back_is_subscribed_again(owner: User, billing: FakeBilling) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    billing.tell("evt_2", "sub_1", ENDED)
    billing.tell("evt_3", "sub_2", ACTIVE)
    assert plan(owner) == "premium"
    assert Subscription.objects.get(status="active").provider_id == "sub_2"


def test_who_buys_anew_before_the_end_of_the_last_is_heard_has_what_was_bought(
    owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    billing.states["sub_1"] = ENDED
    billing.tell("evt_3", "sub_2", ACTIVE)
    billing.tell("evt_2", "sub_1", ENDED)
    assert billing.cancelled == []
    active = Subscription.objects.get(status="active")
    assert (active.provider_id, plan(owner)) == ("sub_2", "premium")


def test_a_subscription_that_is_paid_late_after_all_is_active_again(
    owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    billing.tell("evt_2", "sub_1", ENDED)
    billing.tell("evt_3", "sub_1", ACTIVE)
    assert plan(owner) == "premium"
    assert Subscription.objects.get().status == "active"


def test_an_end_that_is_heard_before_the_start_wins(owner: User, billing: FakeBilling) -> None:
    billing.tell("evt_2", "sub_1", ENDED)
    started = Event("evt_1", EventKind.STARTED, datetime.now(UTC), "sub_1", "cus_1", owner.pk)
    subscriptions._apply(started)  # verified before the end, applied after it
    assert plan(owner) == "free"
    assert not Subscription.objects.filter(status="active").exists()


def test_an_event_that_could_not_be_applied_is_applied_when_it_is_repeated(
    owner: User, billing: FakeBilling
) -> None:
    billing.fault = BillingUnavailable("down")
    with pytest.raises(BillingUnavailable):
        billing.tell("evt_1", "sub_1", ACTIVE)
    assert not BillingEvent.objects.exists()
    billing.fault = None
    billing.tell("evt_1", "sub_1", ACTIVE)
    assert plan(owner) == "premium"


def test_an_event_of_no_account_of_ours_changes_nothing(
    owner: User, billing: FakeBilling, caplog: pytest.LogCaptureFixture
) -> None:
    billing.owner = 0
    billing.tell("evt_1", "sub_1", ACTIVE)
    assert not Subscription.objects.exists()
    assert "does not exist" in caplog.text


def test_an_event_that_says_nothing_of_a_subscription_is_only_noted(
    owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", SubscriptionState.PENDING)
    assert plan(owner) == "free"
    assert BillingEvent.objects.get().kind == "other"


def test_who_is_subscribed_is_sold_no_second_subscription(
    owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    with pytest.raises(SubscriptionRefused, match="subscribed already"):
        subscriptions.checkout(user=owner, success_url="", cancel_url="")
    assert billing.keys == []


def test_asking_for_a_checkout_twice_is_one_order(owner: User, billing: FakeBilling) -> None:
    for _ in range(2):
        subscriptions.checkout(user=owner, success_url="", cancel_url="")
    assert len(set(billing.keys)) == 1


def test_only_a_customer_has_a_portal(owner: User, billing: FakeBilling) -> None:
    with pytest.raises(SubscriptionRefused, match="no subscription"):
        subscriptions.portal(user=owner, return_url="")
    billing.tell("evt_1", "sub_1", ACTIVE)
    assert subscriptions.portal(user=owner, return_url="").endswith("/cus_1")
