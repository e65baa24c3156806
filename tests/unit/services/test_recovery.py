"""What `manage.py restored` does to a database that was put back."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client

from gas.billing.protocol import SubscriptionState
from gas.models import AccountEvent, ApiToken, Job, Scope, SignIn, Subscription, User
from gas.models.numbers import LEAP, leap
from gas.services import api_tokens, recovery
from gas.services.subscriptions import activate
from tests.seams.billing import FakeBilling
from tests.seams.world import World
from tests.unit.views.conftest import signed_in


def test_no_number_is_given_twice(world: World, owner: User) -> None:
    last = world.queued(owner).pk
    assert leap() > 10
    assert world.queued(owner).pk > last + LEAP
    assert User.objects.create_user("new").pk > owner.pk + LEAP


def test_the_first_row_of_a_table_has_no_number_that_was_given_since(
    world: World, owner: User
) -> None:
    leap()
    assert world.queued(owner).pk > LEAP


def test_everybody_is_signed_out(owner: User) -> None:
    browser: Client = signed_in(owner)
    assert browser.get("/jobs/").status_code == 200
    assert recovery.end_sign_ins() == 1
    assert browser.get("/jobs/").status_code == 302
    assert (SignIn.objects.count(), Session.objects.count()) == (0, 0)


def test_every_token_is_revoked_and_its_owner_can_read_why(owner: User) -> None:
    for name in ("a", "b"):
        api_tokens.issue(user=owner, name=name, scopes=[Scope.READ], lifetime=timedelta(days=1))
    assert (recovery.revoke_tokens(), recovery.revoke_tokens()) == (2, 0)
    assert not ApiToken.objects.living().exists()
    assert AccountEvent.objects.filter(account=owner, what__endswith=recovery.WHY).count() == 2


def test_a_subscription_that_ended_since_is_ended_and_one_that_goes_on_stays(
    world: World, billing: FakeBilling, owner: User, stranger: User
) -> None:
    for user, state in ((owner, SubscriptionState.ENDED), (stranger, SubscriptionState.ACTIVE)):
        activate(user=user, customer_id="c", provider_id=f"sub-{user.pk}")
        billing.states[f"sub-{user.pk}"] = state
    assert recovery.recover()["subscriptions that have ended since"] == 1
    active = Subscription.objects.filter(status=Subscription.Status.ACTIVE)
    assert [subscription.user for subscription in active] == [stranger]


def test_the_command_tells_what_it_did(
    world: World, billing: FakeBilling, owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    api_tokens.issue(user=owner, name="a", scopes=[Scope.READ], lifetime=timedelta(days=1))
    call_command("restored")
    assert "1 API tokens revoked" in capsys.readouterr().out
    assert not Job.objects.exists()
