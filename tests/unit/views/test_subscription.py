"""The way to the payment provider and back; who is entitled is decided elsewhere."""

from datetime import UTC, datetime

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from gas.billing import BillingUnavailable, Event, EventKind, EventRefused, SubscriptionState
from gas.models import Status, Subscription, User
from tests.seams.billing import FakeBilling
from tests.stage import Shelf, job_in

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Till:
    """A payment provider that answers as its signatures and fields say."""

    def checkout(
        self, *, user_id: int, email: str, success_url: str, cancel_url: str, idempotency_key: str
    ) -> str:
        """Return an address that tells what was asked."""
        return f"https://pay.example.org/?to={success_url}&or={cancel_url}&for={user_id}"

    def portal(self, *, customer_id: str, return_url: str) -> str:
        """Return an address that tells what was asked."""
        return f"https://pay.example.org/portal?of={customer_id}&to={return_url}"

    def verified_event(self, *, payload: bytes, signature: str) -> Event:
        """Believe one signature; the payload is the user's id."""
        if signature == "out of order":
            raise BillingUnavailable("no answer")
        if signature != "genuine":
            raise EventRefused("forged")
        return Event("evt_1", EventKind.STARTED, NOW, "sub_1", "cus_1", int(payload))

    def subscription_state(self, subscription_id: str) -> SubscriptionState:
        """Say that every subscription is active."""
        return SubscriptionState.ACTIVE

    def cancel(self, *, subscription_id: str) -> None:
        """Do nothing."""


class OutOfOrder(Till):
    """A payment provider that does not answer."""

    def checkout(
        self, *, user_id: int, email: str, success_url: str, cancel_url: str, idempotency_key: str
    ) -> str:
        """Fail."""
        raise BillingUnavailable("no answer")


@pytest.fixture(autouse=True)
def till(settings: LazySettings) -> None:
    settings.BILLING = f"{__name__}.Till"


def event(payload: bytes, signature: str) -> int:
    """Send an event as the provider does, which has no session and no token of our forms."""
    headers = {"Stripe-Signature": signature} if signature else {}
    answer = Client(enforce_csrf_checks=True).post(
        "/billing/webhook/", payload, content_type="application/json", headers=headers
    )
    return answer.status_code


def test_subscribing_leads_to_the_provider_with_the_way_back(
    researcher: Client, owner: User
) -> None:
    answer = researcher.post("/subscription/checkout/")
    assert answer["Location"] == (
        "https://pay.example.org/?to=http://testserver/subscription/?returned=paid"
        f"&or=http://testserver/subscription/?returned=cancelled&for={owner.pk}"
    )


@pytest.fixture
def subscription(owner: User) -> Subscription:
    User.objects.filter(pk=owner.pk).update(plan="premium")
    return Subscription.objects.create(
        user=owner, customer_id="cus_7", provider_id="sub_7", started_at=NOW
    )


@pytest.mark.usefixtures("subscription")
def test_nobody_subscribes_twice(researcher: Client) -> None:
    page = researcher.post("/subscription/checkout/", follow=True).content.decode()
    assert "You are subscribed already." in page
    assert 'action="/subscription/checkout/"' not in page


@pytest.mark.usefixtures("subscription")
def test_a_subscriber_reaches_invoices_and_cancelling(researcher: Client) -> None:
    assert 'action="/subscription/portal/"' in researcher.get("/subscription/").content.decode()
    answer = researcher.post("/subscription/portal/")
    assert answer["Location"].startswith(
        "https://pay.example.org/portal?of=cus_7&to=http://testserver"
    )


def test_who_never_subscribed_has_nothing_to_manage(researcher: Client) -> None:
    page = researcher.post("/subscription/portal/", follow=True).content.decode()
    assert "You have no subscription to manage." in page


def test_a_browser_that_says_it_paid_is_not_believed(researcher: Client, owner: User) -> None:
    page = researcher.get("/subscription/?returned=paid").content.decode()
    owner.refresh_from_db()
    assert owner.plan_id == "free"
    assert "Waiting for the payment provider" in page
    assert 'data-plan="free"' in page
    assert 'hx-trigger="every 3s"' in page


@pytest.mark.usefixtures("subscription")
def test_the_page_stops_asking_once_the_plan_has_changed(researcher: Client) -> None:
    page = researcher.get("/subscription/?returned=paid").content.decode()
    assert 'data-plan="premium"' in page
    assert "hx-trigger" not in page


def test_a_genuine_event_makes_the_account_premium_and_asks_for_its_archive(
    owner: User,
    shelf: Shelf,
    sent: list[int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    job = job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    with django_capture_on_commit_callbacks(execute=True):
        assert event(str(owner.pk).encode(), "genuine") == 200
    owner.refresh_from_db()
    assert owner.plan_id == "premium"
    assert sent == [job.pk]


@pytest.mark.parametrize("signature", ["", "forged", "gen\u00fcine"])
def test_a_forged_event_changes_nothing(owner: User, signature: str) -> None:
    assert event(str(owner.pk).encode(), signature) == 400
    owner.refresh_from_db()
    assert owner.plan_id == "free"


def test_an_event_that_cannot_be_checked_now_comes_again(owner: User) -> None:
    assert event(str(owner.pk).encode(), "out of order") == 503


def test_a_provider_that_does_not_answer_is_a_page_that_says_so(
    researcher: Client, settings: LazySettings
) -> None:
    settings.BILLING = f"{__name__}.OutOfOrder"
    answer = researcher.post("/subscription/checkout/")
    assert answer.status_code == 503
    assert "does not answer" in answer.content.decode()
    assert answer["Retry-After"] == "60"


@pytest.mark.usefixtures("subscription")
def test_after_the_end_the_page_tells_until_when_results_stay(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    Subscription.objects.update(status="ended", ended_at=NOW)
    User.objects.filter(pk=owner.pk).update(plan="free")
    for hour in (9, 7):
        job_in(Status.COMPLETED, owner=owner, shelf=shelf, wake_at=NOW.replace(hour=hour))
    page = researcher.get("/subscription/").content.decode()
    assert "The results of 2 jobs are still at hand." in page
    assert "from 1 January 2030, 07:00 UTC on" in page


def test_who_never_subscribed_reads_nothing_of_a_grace(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    assert 'id="grace"' not in researcher.get("/subscription/").content.decode()


def test_a_payment_that_fails_is_told_with_what_to_do(
    researcher: Client, subscription: Subscription
) -> None:
    said = "Your payment did not go through"
    assert said not in researcher.get("/subscription/").content.decode()
    Subscription.objects.update(unpaid_since=NOW)
    assert said in researcher.get("/subscription/").content.decode()


@pytest.mark.usefixtures("subscription")
def test_the_page_needs_few_questions(
    researcher: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(6):
        researcher.get("/subscription/?returned=paid")


def test_a_second_press_of_the_button_orders_nothing_new(
    researcher: Client, billing: FakeBilling
) -> None:
    for _ in range(3):
        assert researcher.post("/subscription/checkout/").status_code == 302
    assert len(set(billing.keys)) == 1
    billing.tell("evt_1", "sub_1", SubscriptionState.ACTIVE)
    researcher.post("/subscription/checkout/")
    assert len(billing.keys) == 3


def test_a_free_researcher_reads_what_lies_in_the_archive(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    job_in(Status.ARCHIVING, owner=owner, shelf=shelf)
    assert (
        "<strong>2</strong> jobs in the archive"
        in researcher.get("/subscription/").content.decode()
    )
