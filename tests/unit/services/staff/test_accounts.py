"""What staff ask of accounts: premium for a while, limits, and who gets in."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db.models import Model
from django.db.models.functions import Now
from django.template.defaultfilters import date
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from gas.globus.adapters import AccountAdapter
from gas.globus.errors import SignInRefused
from gas.models import ApiToken, Grant, Job, Plan, Scope, SignIn, StaffAct, Status, Upload, User
from gas.services import accounts as own
from gas.services import api_tokens, jobs, limits, reruns, subscriptions
from gas.services.jobs import JobRefused
from gas.services.staff import accounts, acts
from gas.services.staff.acts import Outcome
from gas.storage.locations import inputs
from tasks import entitlement, turns
from tasks.sweep import sweep
from tests.seams.world import VCF, World, read, state
from tests.unit.domain.rows import job_in
from tests.unit.views.conftest import signed_in

Asked = Callable[..., Outcome]

MONTH, DAY = timedelta(days=30), timedelta(days=1)


@pytest.fixture
def operator(db: None) -> User:
    actor = User.objects.create_user("operator", is_staff=True)
    User.objects.filter(pk=actor.pk).update(is_superuser=True)
    return User.objects.get(pk=actor.pk)


@pytest.fixture
def ask(
    operator: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Asked:
    """Let the operator do something to an account, and all that follows its commit."""

    def asked(verb: Callable[..., str], row: Model, **choices: object) -> Outcome:
        done = partial(verb, actor=operator, reason="they asked", **choices)
        with django_capture_on_commit_callbacks(execute=True):
            [outcome] = acts.perform(
                verb.__name__, done, [row], actor=operator, reason="they asked"
            )
        return outcome

    return asked


def subscribe(user: User) -> None:
    subscriptions.activate(user=user, customer_id="cus", provider_id="sub")


def plan_of(user: User) -> str:
    return str(User.objects.get(pk=user.pk).plan_id)


# --- premium for a while --------------------------------------------------------------------------


def test_a_grant_thaws_as_a_subscription_does_and_ends_by_itself(
    world: World, owner: User, ask: Asked
) -> None:
    job = world.archived(owner)
    assert ask(accounts.grant, owner, until=timezone.now() + MONTH).done
    world.until_quiet()
    assert (state(job), read(job).wake_at, plan_of(owner)) == (Status.COMPLETED, None, "premium")
    Grant.objects.update(given_at=Now() - MONTH, until=Now() - DAY)
    sweep.run()
    assert plan_of(owner) == "free"
    assert read(job).wake_at is not None  # the grace period
    assert Grant.objects.get().ended_at is not None
    sweep.run()
    assert Grant.objects.filter(ended_at=None).count() == 0


def test_who_was_given_premium_reads_until_when(world: World, owner: User, ask: Asked) -> None:
    ask(accounts.grant, owner, until=timezone.now() + MONTH)
    page = signed_in(owner).get("/subscription/").content.decode()
    assert f"Given to you by the staff until {date(timezone.now() + MONTH, 'j F Y')}" in page


def test_a_grant_never_touches_a_subscription(world: World, owner: User, ask: Asked) -> None:
    subscribe(owner)
    paid = owner.subscriptions.values().get()
    assert ask(accounts.grant, owner, until=timezone.now() + MONTH).done
    Grant.objects.update(given_at=Now() - MONTH, until=Now() - DAY)
    sweep.run()
    assert plan_of(owner) == "premium"
    assert owner.subscriptions.values().get() == paid
    refused = ask(accounts.end_grant, owner)
    assert "paid for" in refused.sentence
    assert not refused.done


def test_a_subscription_that_ends_leaves_a_grant_standing(
    world: World, owner: User, ask: Asked
) -> None:
    job = job_in(Status.COMPLETED, owner, wake_at=None)
    ask(accounts.grant, owner, until=timezone.now() + MONTH)
    subscribe(owner)
    subscriptions.end(provider_id="sub")
    assert (plan_of(owner), read(job).wake_at) == ("premium", None)
    assert ask(accounts.end_grant, owner).sentence == "It is on free now."
    assert plan_of(owner) == "free"
    assert not ask(accounts.end_grant, owner).done


def test_a_grant_replaces_the_one_before(world: World, owner: User, ask: Asked) -> None:
    for days in (30, 60):
        assert ask(accounts.grant, owner, until=timezone.now() + timedelta(days=days)).done
    assert Grant.objects.filter(ended_at=None).get().until > timezone.now() + MONTH
    assert Grant.objects.count() == 2


@pytest.mark.parametrize("until", [-DAY, timedelta(0), 6 * 366 * DAY])
def test_premium_is_not_given_for_the_past_nor_for_ever(
    world: World, owner: User, ask: Asked, until: timedelta
) -> None:
    assert not ask(accounts.grant, owner, until=timezone.now() + until).done
    assert plan_of(owner) == "free"
    assert not StaffAct.objects.get().done


def test_premium_that_was_given_by_hand_is_taken_back(
    world: World, subscriber: User, ask: Asked
) -> None:
    assert ask(accounts.end_grant, subscriber).done
    assert plan_of(subscriber) == "free"


def test_who_has_left_is_given_nothing(world: World, owner: User, ask: Asked) -> None:
    User.objects.filter(pk=owner.pk).update(left_at=Now())
    for verb in (accounts.lock, accounts.unlock, accounts.end_grant):
        assert ask(verb, owner).sentence == "Its owner has had it deleted."


# --- limits ---------------------------------------------------------------------------------------


def arrived(world: World, owner: User) -> Job:
    upload = Upload.objects.create(owner=owner, filename="cohort.vcf")
    world.storage.kept[str(inputs(upload.key))] = VCF
    return jobs.submit(upload=upload)


def test_limits_of_its_own_stand_before_the_plans(world: World, owner: User, ask: Asked) -> None:
    assert ask(accounts.set_limits, owner, limits={"max_active_jobs": 1}).done
    arrived(world, owner)
    owner.refresh_from_db()
    assert "1 job queued or running" in limits.room_of(owner).hindrance
    assert ask(accounts.set_limits, owner, limits={"max_active_jobs": None}).done
    assert limits.room_of(owner).hindrance == ""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("max_upload_bytes", "your plan takes 5"), ("max_stored_bytes", "your plan keeps 5")],
)
def test_bytes_of_its_own_refuse_a_file(
    world: World, owner: User, ask: Asked, name: str, sentence: str
) -> None:
    ask(accounts.set_limits, owner, limits={name: 5})
    owner.refresh_from_db()
    room = limits.room_of(owner)
    assert sentence in (limits.refusal_of(6, owner.limits) or room.hindrance_to(6))


def test_more_jobs_at_a_time_are_sent_for_at_once(world: World, owner: User, ask: Asked) -> None:
    for _ in range(5):
        job_in(Status.QUEUED, owner)
    turns.give(turns.ANNOTATE, owner_id=owner.pk)
    assert len(world.broker.arrived()) == owner.plan.max_running_jobs < 4
    ask(accounts.set_limits, owner, limits={"max_running_jobs": 4})
    assert len(world.broker.arrived()) == 4


def test_jobs_of_a_day_are_counted_deleted_and_repeated_ones_too(
    world: World, owner: User, ask: Asked
) -> None:
    ask(accounts.set_limits, owner, limits={"max_jobs_a_day": 2})
    job = arrived(world, owner)
    jobs.delete(job=job, actor=owner)
    again = arrived(world, owner)
    jobs.cancel(job=again, actor=owner)
    with pytest.raises(JobRefused, match="2 jobs today"):
        arrived(world, owner)
    with pytest.raises(JobRefused, match="2 jobs today"):
        reruns.rerun(job=again, actor=owner)
    yesterday = (timezone.now() - DAY).date()
    User.objects.filter(pk=owner.pk).update(counted_on=yesterday)
    assert reruns.rerun(job=again, actor=owner).pk
    assert User.objects.get(pk=owner.pk).jobs_today == 1


def test_a_new_account_is_limited_in_a_day_and_premium_is_not(
    owner: User, subscriber: User
) -> None:
    assert owner.limits.max_jobs_a_day == 200
    assert subscriber.limits.max_jobs_a_day is None


# --- who gets in ----------------------------------------------------------------------------------


def token_of(user: User) -> tuple[ApiToken, str]:
    made = api_tokens.issue(user=user, name="a", scopes=[Scope.READ], lifetime=DAY)
    return made.token, made.secret


def test_a_locked_account_lets_nobody_in_and_its_jobs_go_on(
    world: World, owner: User, ask: Asked
) -> None:
    browser, (_, secret) = signed_in(owner), token_of(owner)
    SignIn.objects.create(user=owner, session_key=browser.session.session_key or "")
    job = world.queued(owner)
    assert browser.get("/jobs/").status_code == 200
    assert ask(accounts.lock, owner).sentence == (
        "It is locked; 1 browsers signed out, 1 tokens revoked."
    )
    assert browser.get("/jobs/").status_code == 302
    assert api_tokens.bearer(secret=secret) is None
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert state(job) is Status.COMPLETED
    assert not ask(accounts.lock, owner).done
    assert ask(accounts.unlock, owner).done
    assert api_tokens.bearer(secret=secret) is None  # revoked for good
    assert browser.get("/jobs/").status_code == 302
    assert not ask(accounts.unlock, owner).done


def test_who_is_locked_reads_one_sentence(owner: User) -> None:
    with pytest.raises(SignInRefused, match=r"^This account is locked\. Please write to those"):
        AccountAdapter().respond_user_inactive(RequestFactory().get("/"), owner)


def test_staff_do_not_lock_themselves_out(operator: User, ask: Asked) -> None:
    assert ask(accounts.lock, operator).sentence == "You cannot lock yourself out."


def test_browsers_are_signed_out_one_or_all(owner: User, ask: Asked) -> None:
    here, there = signed_in(owner), signed_in(owner)
    rows = [
        SignIn.objects.create(user=owner, session_key=each.session.session_key or "")
        for each in (here, there)
    ]
    assert ask(accounts.end_sign_in, rows[0]).done
    assert (here.get("/jobs/").status_code, there.get("/jobs/").status_code) == (302, 200)
    assert not ask(accounts.end_sign_in, rows[0]).done
    assert ask(accounts.sign_out, owner).done
    assert there.get("/jobs/").status_code == 302
    assert not ask(accounts.sign_out, owner).done
    told = {(act.kind, act.number) for act in StaffAct.objects.all()}
    assert told == {("user", str(owner.pk))}


def test_a_token_is_revoked_once_and_its_owner_can_read_by_whom(owner: User, ask: Asked) -> None:
    token, secret = token_of(owner)
    assert ask(accounts.revoke_token, token).done
    assert api_tokens.bearer(secret=secret) is None
    event = owner.events.order_by("-pk")[0]
    assert (event.actor, event.what) == ("staff", f"revoked API token {token.pk}: they asked")
    assert not ask(accounts.revoke_token, token).done


def test_what_staff_gave_goes_with_an_account_that_is_left_and_what_they_did_stays(
    world: World, owner: User, ask: Asked
) -> None:
    ask(accounts.grant, owner, until=timezone.now() + MONTH)
    number = owner.pk
    own.leave(user=owner)
    assert not Grant.objects.exists()
    assert StaffAct.objects.get().number == str(number)
    assert Plan.objects.count() == 2
    assert entitlement.end_grants() == 0
