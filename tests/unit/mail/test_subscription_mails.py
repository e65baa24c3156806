"""The mails about a subscription: each owed once each time it changes, and sent like all others."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from django.core import mail as outbox

from gas.billing.protocol import SubscriptionState
from gas.models import AccountEvent, Notice, Status, Subscription, User
from tasks.notify import notify
from tests.seams.billing import FakeBilling
from tests.unit.domain.rows import job_in
from tests.unit.mail.letters import Letter, html_of, text_of

ACTIVE, UNPAID, ENDED = SubscriptionState.ACTIVE, SubscriptionState.UNPAID, SubscriptionState.ENDED
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


About = Callable[[Notice.Kind], EmailMessage]


def owed() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        ([ACTIVE], ["subscribed"]),
        ([ACTIVE, ACTIVE], ["subscribed"]),
        ([ACTIVE, ENDED, ENDED], ["subscribed", "ended"]),
        ([ACTIVE, UNPAID, UNPAID], ["subscribed", "unpaid"]),
        ([ACTIVE, UNPAID, ACTIVE, UNPAID], ["subscribed", "unpaid", "unpaid"]),
        ([ACTIVE, UNPAID, ENDED], ["subscribed", "unpaid", "ended"]),
        ([ACTIVE, ENDED, ACTIVE], ["subscribed", "ended", "subscribed"]),
    ],
)
def test_each_change_owes_one_mail_however_often_it_is_told(
    owner: User, billing: FakeBilling, told: list[SubscriptionState], kinds: list[str]
) -> None:
    for number, state in enumerate(told):
        billing.tell(f"evt_{number}", "sub_1", state)
    assert owed() == kinds


def test_a_payment_that_fails_leaves_the_plan_and_is_remembered_until_it_is_paid(
    owner: User, billing: FakeBilling
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    billing.tell("evt_2", "sub_1", UNPAID)
    owner.refresh_from_db()
    assert (owner.plan_id, Subscription.objects.get().unpaid_since is None) == ("premium", False)
    billing.tell("evt_3", "sub_1", ACTIVE)
    assert Subscription.objects.get().unpaid_since is None


def test_a_message_without_a_number_sends_what_is_about_subscriptions_once(
    owner: User, billing: FakeBilling, mailoutbox: list[outbox.EmailMessage]
) -> None:
    billing.tell("evt_1", "sub_1", ACTIVE)
    notify()
    notify()
    assert [mail.subject for mail in mailoutbox] == ["You are subscribed to Premium"]


def test_a_message_without_a_number_sends_nothing_about_jobs(
    owner: User, mailoutbox: list[outbox.EmailMessage]
) -> None:
    job_in(Status.COMPLETED, owner).owe(Notice.Kind.COMPLETED)
    notify()
    assert mailoutbox == []


@pytest.fixture
def about(owner: User, letter: Letter) -> About:
    """Send the mail of a kind about a subscription of the owner, who has two results."""

    def send(kind: Notice.Kind) -> EmailMessage:
        for _ in range(2):
            job_in(Status.COMPLETED, owner, wake_at=NOON)
        subscription = Subscription.objects.create(
            user=owner, customer_id="c", provider_id="s", started_at=NOON
        )
        notice = Notice.objects.create(subscription=subscription, kind=kind, attempt=3)
        return letter(notice)

    return send


def test_the_end_tells_until_when_results_stay_and_that_nothing_is_deleted(about: About) -> None:
    arrived = about(Notice.Kind.ENDED)
    said = text_of(arrived)
    assert "The results of 2 jobs stay at hand until 4 May 2026, 12:00 UTC." in said
    assert "Nothing is deleted." in said
    assert "Subscribe: https://gas.example.org/subscription/" in said
    assert "stay at hand until 4 May 2026, 12:00 UTC" in html_of(arrived)


def test_a_failed_payment_leads_to_where_it_can_be_mended(about: About) -> None:
    arrived = about(Notice.Kind.UNPAID)
    assert "could not collect the last payment" in text_of(arrived)
    assert "another 7 days before they move to the archive" in text_of(arrived)
    assert 'href="https://gas.example.org/subscription/"' in html_of(arrived)


def test_a_new_subscription_tells_what_comes_back(owner: User, about: About) -> None:
    job_in(Status.ARCHIVED, owner)
    assert "1 job in the archive is being brought back" in text_of(about(Notice.Kind.SUBSCRIBED))


def test_mails_about_one_subscription_are_a_conversation_of_their_own(about: About) -> None:
    arrived = about(Notice.Kind.ENDED)
    number = Subscription.objects.get().pk
    assert arrived["Message-ID"] == f"<ended.subscription-{number}.3@gas.example.org>"
    assert arrived["References"] == f"<subscription-{number}@gas.example.org>"


def test_a_mail_that_can_never_arrive_is_written_down_with_the_account(
    owner: User, billing: FakeBilling, caplog: pytest.LogCaptureFixture
) -> None:
    User.objects.filter(pk=owner.pk).update(email="not an address")
    billing.tell("evt_1", "sub_1", ACTIVE)
    notify()
    assert not Notice.objects.unsent().exists()
    assert "subscribed mail was refused" in AccountEvent.objects.get(account=owner).what
    assert "not an address" not in caplog.text
