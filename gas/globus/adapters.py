"""Our answers to what allauth asks on the way from an identity to a signed-in account."""

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from gas.globus.claims import Claims
from gas.globus.errors import SignInRefused
from gas.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Keeps allauth from speaking to people in its own words and pages."""

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the pages speak for themselves."""

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """Refuse an account that staff have locked."""
        raise SignInRefused("This account is locked. Please write to those who run this server.")


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Decides which account an identity opens, and keeps that account up to date."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the account of a linked identity, then bring name, contact and role up to date."""
        claims = Claims.revive(sociallogin.account.extra_data)
        if not sociallogin.is_existing and (owner := owner_of(claims)):
            sociallogin.connect(request, owner)
        update_profile(cast(User, sociallogin.user), claims)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Open the account of an identity that was never here; its name is the identity itself."""
        user = cast(User, sociallogin.user)
        user.username = sociallogin.account.uid
        try:
            with transaction.atomic():
                sociallogin.save(request, connect=True)
        except IntegrityError as error:  # the same person, in two windows at once
            raise SignInRefused("Your account was just opened. Please sign in again.") from error
        return user


def owner_of(claims: Claims) -> User | None:
    """Return the account that bears the identity's name, else the one its linked identities open.

    Several of those are left apart: whose data would it be? Mail addresses play no part.
    """
    own = User.objects.filter(username=claims.sub).first()
    if own:
        return own
    linked = User.objects.filter(
        socialaccount__provider="globus", socialaccount__uid__in=claims.identities
    )
    owners = linked.distinct()[:2]
    return owners[0] if len(owners) == 1 else None


def update_profile(user: User, claims: Claims) -> None:
    """Take over what Globus says now, and give or take the staff role by the allow-list."""
    user.first_name, user.last_name = claims.first_name, claims.last_name
    user.email = claims.email
    user.is_superuser = claims.sub in settings.STAFF_IDENTITIES  # which lets staff act
    user.is_staff = user.is_superuser or claims.sub in settings.STAFF_ONLOOKERS
    if user.pk:
        columns = ["first_name", "last_name", "email", "is_staff", "is_superuser"]
        user.save(update_fields=columns)
