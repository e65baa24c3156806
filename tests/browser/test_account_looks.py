"""The pages of the account, and the mails: how they look, and that axe-core finds nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialAccount
from playwright.sync_api import Page

from gas import letters
from gas.models import (
    Notice,
    Scope,
    SignIn,
    Status,
    Subscription,
    Topic,
    User,
    Webhook,
    WebhookEvent,
)
from gas.services import accounts, webhooks
from tests.browser.conftest import Window
from tests.browser.test_looks import SHOTS, look_at
from tests.stage import Shelf, job_in
from tests.unit.mail.letters import declining_signature

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans")]

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def settled(owner: User, window: Window) -> Window:
    """Somebody with linked identities and several browsers, signed in."""
    linked = [
        {"sub": "a" * 36, "login": "lab@uni.example.org", "email": "", "provider": "University"},
        {"sub": "b" * 36, "login": "0000-0001", "email": "me@example.org", "provider": "ORCID"},
    ]
    said = {"sub": "a" * 36, "login": "lab@uni.example.org", "first_name": "", "last_name": ""}
    kept = {**said, "email": "", "organisation": "Institute of Examples", "identities": ["a"]}
    SocialAccount.objects.create(
        user=owner, provider="globus", uid="1", extra_data={**kept, "linked": linked}
    )
    signed_in = window.sign_in(owner)
    accounts.decline(user=owner, topic=Topic.RESTORED)
    for name in ("Firefox on Linux", "Safari on iPhone"):
        key = signed_in.context.cookies()[0]["value"] if "Linux" in name else "x"
        SignIn.objects.create(user=owner, session_key=str(key), browser=name)
    return signed_in


def test_the_account(settled: Window) -> None:
    look_at(settled.open("/account/"), "account")


def test_a_token_from_making_to_revoking(settled: Window) -> None:
    page = settled.open("/account/tokens/")
    page.get_by_label("Name").fill("Notebook in the laboratory")
    page.get_by_role("button", name="Make the token").click()
    page.get_by_label("Name").fill("Notebook in the laboratory")
    page.get_by_label(str(Scope.READ.label)).check()
    page.get_by_role("button", name="Make the token").click()
    page.locator("#secret").wait_for()
    look_at(page, "tokens")
    page.get_by_role("button", name="Revoke Notebook").click()
    page.get_by_text("revoked", exact=True).wait_for()


def test_a_webhook_from_making_to_a_list_of_its_calls(settled: Window) -> None:
    page = settled.open("/account/webhooks/")
    page.get_by_label("Address").fill("https://hooks.example.org/gas/of/the/laboratory")
    page.get_by_role("button", name="Make the webhook").click()
    page.locator("#secret").wait_for()
    look_at(page, "webhooks")
    webhook = Webhook.objects.get()
    taken, failed, _ = (webhook.owe(WebhookEvent.FAILED, job_id=number) for number in (7, 8, 9))
    taken.record_taken(answered=200, said='{"ok": true}')
    failed.record_failed(
        answered=None, said="No answer within 10 seconds.", again_in=None, rest=timedelta(0)
    )
    page = settled.open(f"/account/webhooks/{webhook.pk}/")
    page.get_by_text("No answer within 10 seconds.").wait_for()
    look_at(page, "webhook")


def test_leaving(settled: Window) -> None:
    page = settled.open("/account/leave/")
    page.get_by_label("To confirm").fill("yes")
    page.get_by_role("button", name="Delete everything").click()
    look_at(page, "leave")
    page.get_by_label("To confirm").fill("delete everything")
    page.get_by_role("button", name="Delete everything").click()
    page.get_by_role("heading", name="Your account is closed").wait_for()
    look_at(page, "left")
    assert not User.objects.exists()


def test_declining_a_kind_of_mail(window: Window, owner: User) -> None:
    page = window.open(f"/mails/decline/{declining_signature(owner)}/")
    look_at(page, "decline-mails")
    page.get_by_role("button", name="No more such mails").click()
    page.get_by_role("status").wait_for()
    assert owner.declined_topics.get().topic == Topic.FAILED


def test_the_terms(window: Window) -> None:
    look_at(window.open("/terms/"), "terms")


def _of_subscription(owner: User, _shelf: Shelf, kind: Notice.Kind) -> Notice:
    subscription, _ = Subscription.objects.get_or_create(
        user=owner, customer_id="c", provider_id="s", defaults={"started_at": NOON}
    )
    return Notice.objects.create(subscription=subscription, kind=kind, attempt=1)


def _of_job(owner: User, shelf: Shelf, kind: Notice.Kind) -> Notice:
    status = Status.FAILED if kind is Notice.Kind.FAILED else Status.COMPLETED
    for number in range(3):
        job = job_in(status, owner=owner, shelf=shelf, name=f"Trio {number}, exome", wake_at=NOON)
    return Notice.objects.create(job=job, kind=kind, attempt=1)


def _of_webhook(owner: User, _shelf: Shelf, kind: Notice.Kind) -> Notice:
    webhook = webhooks.add(
        user=owner, url="https://hooks.example.org/gas?key=1", events=webhooks.CHOICES
    ).webhook
    Webhook.objects.filter(pk=webhook.pk).update(failures=12, failing_since=NOON)
    webhook.switch_off("Every call of 5 days has failed.")
    return Notice.objects.get(kind=kind)


MAKERS = {Topic.SUBSCRIPTION: _of_subscription, Topic.WEBHOOK: _of_webhook}

MAILS: dict[Notice.Kind, Callable[[User, Shelf, Notice.Kind], Notice]] = {
    kind: MAKERS.get(topic, _of_job) for kind, topic in Notice.TOPICS.items()
}


def test_the_mails(window: Window, owner: User, shelf: Shelf, tmp_path: Path) -> None:
    """In both themes and at the width of a telephone, each fits and nothing covers anything."""
    page: Page = window.context.new_page()
    for kind, arrange in MAILS.items():
        file = tmp_path / f"{kind.name.lower()}.html"
        file.write_text(letters.compose(arrange(owner, shelf, kind)).html)
        page.goto(file.as_uri())
        for width in (320, 640):
            page.set_viewport_size({"width": width, "height": 900})
            sideways = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            assert sideways <= 0, (kind, width)
        picture(page, file.stem)


def picture(page: Page, name: str) -> None:
    """Take a picture in both themes, when pictures are wanted."""
    for theme in ("light", "dark") if SHOTS else ():
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.screenshot(path=f"{SHOTS}/mail-{name}-{theme}.png", full_page=True)


@pytest.mark.parametrize("change", ["unpaid", "ended"])
def test_a_subscription_in_trouble(window: Window, owner: User, shelf: Shelf, change: str) -> None:
    ended = {"status": "ended", "ended_at": NOON} if change == "ended" else {"unpaid_since": NOON}
    plan = "free" if change == "ended" else "premium"
    User.objects.filter(pk=owner.pk).update(plan=plan)
    Subscription.objects.create(
        user=owner, customer_id="c", provider_id="s", started_at=NOON, **ended
    )
    job_in(Status.COMPLETED, owner=owner, shelf=shelf, wake_at=NOON)
    look_at(window.sign_in(owner).open("/subscription/"), f"subscription-{change}")
