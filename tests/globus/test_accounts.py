"""Which account an identity opens, and in which role."""

from dataclasses import replace

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.test import RequestFactory
from django.urls import reverse
from pytest_django import Settings

from dev.fake_globus import PERSONAS, FakeGlobus
from gas.globus.adapters import SocialAccountAdapter
from gas.globus.errors import SignInRefused
from gas.models import GlobusToken, User
from tests.globus.visitor import Visitor, sentence

FREE, PREMIUM, SECOND, STAFF = PERSONAS


def test_a_first_sign_in_opens_an_account_named_by_the_identity(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    answer = visitor.sign_in(FREE)
    assert (answer.status_code, answer["Location"]) == (302, reverse("jobs"))
    user = User.objects.get()
    assert user.username == FREE.sub
    assert (user.first_name, user.last_name, user.email) == ("Free", "researcher", FREE.email)
    assert not user.has_usable_password()
    assert visitor.client.session["_auth_user_id"] == str(user.pk)


def test_a_second_sign_in_opens_the_same_account_and_takes_over_the_new_name(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    visitor.sign_in(FREE)
    globus.ledger.personas[FREE.sub] = replace(FREE, name="Busy researcher", email="b@example.org")
    Visitor().sign_in(FREE)
    user = User.objects.get()
    assert (user.get_full_name(), user.email) == ("Busy researcher", "b@example.org")


def test_who_is_locked_is_told_so_and_does_not_get_in(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(FREE)
    User.objects.update(is_active=False)
    GlobusToken.objects.all().delete()
    again = Visitor()
    assert sentence(again.sign_in(FREE)) == (
        "This account is locked. Please write to those who run this server."
    )
    assert not again.is_signed_in
    assert not GlobusToken.objects.exists()


def test_an_equal_mail_address_opens_no_other_account(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(FREE)
    globus.ledger.personas[SECOND.sub] = replace(SECOND, email=FREE.email)
    Visitor().sign_in(SECOND)
    owner, second = User.objects.order_by("pk")
    assert (owner.username, second.username) == (FREE.sub, SECOND.sub)
    assert owner.email == second.email == FREE.email
    assert not EmailAddress.objects.exists()


def test_an_identity_that_globus_calls_linked_opens_the_account_it_belongs_to(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    visitor.sign_in(FREE)
    globus.link(FREE.sub, SECOND.sub)
    linked = Visitor()
    linked.sign_in(SECOND)
    user = User.objects.get()
    assert linked.client.session["_auth_user_id"] == str(user.pk)
    uids = SocialAccount.objects.filter(user=user).values_list("uid", flat=True)
    assert set(uids) == {FREE.sub, SECOND.sub}


def test_every_linked_identity_can_vouch_for_the_next(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(FREE)
    globus.link(FREE.sub, SECOND.sub)
    Visitor().sign_in(SECOND)
    globus.ledger.linked.clear()
    globus.link(SECOND.sub, PREMIUM.sub)
    Visitor().sign_in(PREMIUM)
    assert User.objects.get().username == FREE.sub


def test_an_account_is_its_identitys_own_whatever_else_is_linked(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    visitor.sign_in(FREE)
    Visitor().sign_in(SECOND)
    SocialAccount.objects.filter(uid=SECOND.sub).delete()
    globus.link(FREE.sub, SECOND.sub)
    again = Visitor()
    again.sign_in(SECOND)
    owner = User.objects.get(username=SECOND.sub)
    assert again.client.session["_auth_user_id"] == str(owner.pk)


def test_two_first_sign_ins_at_once_open_one_account(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(FREE)
    late = SocialLogin(user=User(), account=SocialAccount(provider="globus", uid=FREE.sub))
    with pytest.raises(SignInRefused, match="again"):
        SocialAccountAdapter().save_user(RequestFactory().get("/"), late)
    assert User.objects.count() == SocialAccount.objects.count() == 1


def test_an_identity_linked_to_two_accounts_opens_neither(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    visitor.sign_in(FREE)
    Visitor().sign_in(SECOND)
    globus.link(FREE.sub, SECOND.sub, PREMIUM.sub)
    Visitor().sign_in(PREMIUM)
    assert User.objects.count() == 3


def test_each_of_two_linked_accounts_still_opens_itself(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    visitor.sign_in(FREE)
    Visitor().sign_in(SECOND)
    globus.link(FREE.sub, SECOND.sub)
    again = Visitor()
    again.sign_in(SECOND)
    owner = User.objects.get(username=SECOND.sub)
    assert again.client.session["_auth_user_id"] == str(owner.pk)


def test_staff_are_who_the_list_names_at_each_sign_in(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    visitor.sign_in(STAFF)
    Visitor().sign_in(FREE)
    assert User.objects.get(is_staff=True).username == STAFF.sub
    settings.STAFF_IDENTITIES = [FREE.sub]
    Visitor().sign_in(STAFF)
    Visitor().sign_in(FREE)
    assert User.objects.get(is_staff=True).username == FREE.sub


def test_onlookers_are_staff_who_may_not_act(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    settings.STAFF_ONLOOKERS = [FREE.sub]
    visitor.sign_in(STAFF)
    Visitor().sign_in(FREE)
    assert set(User.objects.values_list("username", "is_staff", "is_superuser")) == {
        (STAFF.sub, True, True),
        (FREE.sub, True, False),
    }
    settings.STAFF_ONLOOKERS = []
    Visitor().sign_in(FREE)
    assert not User.objects.get(username=FREE.sub).is_staff


def test_the_admin_has_no_door_of_its_own(globus: FakeGlobus, visitor: Visitor) -> None:
    User.objects.create_superuser("root", password="correct horse")
    assert visitor.client.get("/admin/login/?next=/admin/gas/")["Location"] == (
        "/login/?next=/admin/gas/"
    )
    form = {"username": "root", "password": "correct horse"}
    assert visitor.client.post("/admin/login/", form).status_code == 405
    assert not visitor.is_signed_in
    visitor.sign_in(FREE)
    assert visitor.client.get("/admin/login/").status_code == 403
