"""What staff can ask of an account: its limits, premium for a while, and who gets in."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models.functions import Now
from django.template.defaultfilters import pluralize
from django.utils import timezone

from gas.commits import after_commit
from gas.globus import sessions, tokens
from gas.models import AccountEvent, ApiToken, Grant, Plan, SignIn, User
from gas.services import api_tokens, subscriptions
from gas.services.staff.acts import STAFF, ActRefused
from tasks import entitlement, turns

#: For so long premium is given at most.
LONGEST_GRANT = timedelta(days=5 * 366)


def grant(user: User, *, until: datetime, actor: User, reason: str) -> str:
    """Give premium until a moment, in place of what was given before, beside what is paid for."""
    held = _held(user)
    if not timezone.now() < until <= timezone.now() + LONGEST_GRANT:
        raise ActRefused("Please choose a day that is to come, within five years.")
    held.grants.filter(ended_at=None).update(ended_at=Now())
    given = Grant.objects.create(user=held, until=until, reason=reason, given_by=actor.username)
    if not held.is_premium:
        entitlement.begin(held)
    _tell(held, f"gave {given}: {reason}")
    paid = subscriptions.active_subscription(held)
    more = " The paid subscription goes on beside it." if paid else ""
    return f"Premium until {until:%Y-%m-%d %H:%M} UTC.{more}"


def end_grant(user: User, *, actor: User, reason: str) -> str:
    """Take premium back that staff gave, by a grant or by hand; what is paid for stays."""
    held = _held(user)
    given = held.grants.filter(ended_at=None).first()
    if given:
        entitlement.end_grant(given)
    elif not held.is_premium:
        raise ActRefused("It is not on premium.")
    elif not entitlement.end(held):
        raise ActRefused("It is on premium because it is paid for, which its owner alone ends.")
    _tell(held, f"took premium back: {reason}")
    held.refresh_from_db()
    return "It stays on premium, which is paid for." if held.is_premium else "It is on free now."


def set_limits(user: User, *, limits: Mapping[str, int | None], actor: User, reason: str) -> str:
    """Set limits of its own, by the names of the plan's; None is what the plan says."""
    held = _held(user)
    User.objects.filter(pk=held.pk).update(**{User.OWN[name]: limits[name] for name in limits})
    told = _worded({name: value for name, value in limits.items() if value is not None})
    _tell(held, f"set limits: {told or 'the plan'}: {reason}")
    turns.give_after_commit(turns.ANNOTATE, owner_id=held.pk)
    return f"Its own limits: {told}." if told else "The limits of its plan hold."


def set_plan_limits(
    plan: Plan, *, limits: Mapping[str, int | None], actor: User, reason: str
) -> str:
    """Set the limits of everybody on a plan who has none of their own."""
    if missing := [name for name in limits if limits[name] is None and name != "max_jobs_a_day"]:
        raise ActRefused(f"A plan needs a number of: {', '.join(map(_words, missing))}.")
    Plan.objects.filter(pk=plan.pk).update(**limits)
    return f"{_worded(limits)}."


def _worded(limits: Mapping[str, int | None]) -> str:
    """Limits as people read them: 10 active jobs, any jobs a day."""
    said = {name: "any" if limit is None else f"{limit:,}" for name, limit in limits.items()}
    return ", ".join(f"{number} {_words(name)}" for name, number in said.items())


def _words(name: str) -> str:
    return name.removeprefix("max_").replace("_", " ")


def lock(user: User, *, actor: User, reason: str) -> str:
    """Keep somebody out: browsers are signed out and tokens revoked for good; jobs go on."""
    held = _held(user)
    if held.pk == actor.pk:
        raise ActRefused("You cannot lock yourself out.")
    if not User.objects.filter(pk=held.pk, is_active=True).update(is_active=False):
        raise ActRefused("It is locked already.")
    ended = sessions.end(held.sign_ins.all())
    revoked = held.api_tokens.filter(revoked_at=None).update(revoked_at=Now())
    after_commit(_forget_tokens, held)
    _tell(held, f"locked the account: {reason}")
    return f"It is locked; {ended} browsers signed out, {revoked} tokens revoked."


def unlock(user: User, *, actor: User, reason: str) -> str:
    """Let somebody in again; revoked tokens stay revoked."""
    held = _held(user)
    if not User.objects.filter(pk=held.pk, is_active=False).update(is_active=True):
        raise ActRefused("It is not locked.")
    _tell(held, f"unlocked the account: {reason}")
    return "It is open again."


def sign_out(user: User, *, actor: User, reason: str) -> str:
    """Sign out every browser of an account."""
    ended = sessions.end(user.sign_ins.all())
    if not ended:
        raise ActRefused("No browser is signed in.")
    _tell(user, f"signed out {ended} browsers: {reason}")
    return f"{ended} browser{pluralize(ended, ' is,s are')} signed out."


def end_sign_in(sign_in: SignIn, *, actor: User, reason: str) -> str:
    """Sign out one browser."""
    if not sessions.end(SignIn.objects.filter(pk=sign_in.pk)):
        raise ActRefused("It is signed out already.")
    _tell(sign_in.user, f"signed out {sign_in.browser or 'a browser'}: {reason}")
    return f"{sign_in.browser or 'The browser'} is signed out."


def revoke_token(token: ApiToken, *, actor: User, reason: str) -> str:
    """Make an API token worthless."""
    if not api_tokens.revoke(user=token.user, token_id=token.pk, by=STAFF, why=reason):
        raise ActRefused("It is revoked already.")
    return f"API token {token.pk} is revoked."


def _forget_tokens(user: User) -> None:
    tokens.forget(user=user)


def _held(user: User) -> User:
    """The row of an account that was not left, kept as it is until the end of the transaction."""
    held = User.objects.select_for_update(of=("self",)).filter(pk=user.pk, left_at=None).first()
    if held is None:
        raise ActRefused("Its owner has had it deleted.")
    return held


def _tell(user: User, what: str) -> None:
    """Tell it in the history of the account, which its owner can export."""
    AccountEvent.objects.create(account=user, actor=STAFF, what=what)
