"""The one table of transitions, and who may pass."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from gas.models import CLAIMED_FROM, IN_FLIGHT, TRANSITIONS, Alarm, Job, LeaseLost, Status, User
from tests.unit.domain.rows import LEASE, NEEDS, claim, claimed, expire, job_in, make_due

ALLOWED = [(before, after) for before in Status for after in Status if after in TRANSITIONS[before]]
FORBIDDEN = [
    (before, after)
    for before in Status
    for after in Status
    if after is not before and after not in TRANSITIONS[before]
]


def owner_for(into: Status, owner: User, subscriber: User) -> User:
    return subscriber if into is Status.THAWING else owner


def test_the_table_names_every_state() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert len(ALLOWED) + len(FORBIDDEN) == len(Status) * (len(Status) - 1)


def test_what_ends_a_job_leads_nowhere_but_a_failure_back_to_the_start() -> None:
    assert {status for status in Status if not TRANSITIONS[status]} == {Status.CANCELLED}
    assert TRANSITIONS[Status.FAILED] == {Status.QUEUED}


def test_every_claim_follows_the_table() -> None:
    assert all(into in TRANSITIONS[before] for into, before in CLAIMED_FROM.items())


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_a_pair_in_the_table_moves_the_job_and_writes_one_event(
    owner: User, before: Status, after: Status
) -> None:
    job = job_in(before, owner)
    assert Job.objects.move(
        job.pk, before, after, actor="tester", reason="why", **NEEDS.get(after, {})
    )
    event = job.events.get()
    assert (event.before, event.after) == (before, after)
    assert (event.actor, event.reason) == ("tester", "why")
    job.refresh_from_db()
    assert job.state is after


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_a_pair_that_is_not_in_the_table_is_refused(
    owner: User, before: Status, after: Status
) -> None:
    job = job_in(before, owner)
    with pytest.raises(ValueError, match="cannot go"):
        Job.objects.move(job.pk, before, after, actor="tester")
    job.refresh_from_db()
    assert job.state is before
    assert not job.events.exists()


@pytest.mark.parametrize("found", list(Status))
def test_a_job_that_is_elsewhere_is_not_moved(owner: User, found: Status) -> None:
    job = job_in(found, owner)
    for before, after in ALLOWED:
        if before is not found:
            assert not Job.objects.move(
                job.pk, before, after, actor="tester", **NEEDS.get(after, {})
            )
    assert not job.events.exists()


@pytest.mark.parametrize("found", list(Status))
@pytest.mark.parametrize("into", sorted(IN_FLIGHT))
def test_a_job_is_claimed_only_from_the_state_before_or_from_its_own(
    owner: User, subscriber: User, found: Status, into: Status
) -> None:
    job = job_in(found, owner_for(into, owner, subscriber))
    held = claim(job, into)
    assert (held is not None) == (found in (CLAIMED_FROM[into], into))


@pytest.mark.parametrize("into", sorted(IN_FLIGHT))
def test_a_claim_says_who_holds_the_job_until_when(
    owner: User, subscriber: User, into: Status
) -> None:
    job = job_in(CLAIMED_FROM[into], owner_for(into, owner, subscriber))
    held = claimed(job, into, worker="first")
    assert (held.state, held.lease_owner, held.attempt) == (into, "first", 1)
    assert Job.objects.filter(
        pk=job.pk, lease_until__gt=Now(), lease_until__lte=Now() + LEASE
    ).exists()
    event = job.events.get()
    assert (event.before, event.after, event.actor) == (CLAIMED_FROM[into], into, "first")


@pytest.mark.parametrize("into", sorted(IN_FLIGHT))
def test_a_job_that_is_not_due_is_not_claimed(owner: User, subscriber: User, into: Status) -> None:
    someone = owner_for(into, owner, subscriber)
    later = Now() + timedelta(minutes=1)
    for status in (CLAIMED_FROM[into], into):
        assert claim(job_in(status, someone, wake_at=later), into) is None
        assert claim(job_in(status, someone, wake_at=None), into) is None


def test_results_of_a_subscriber_are_not_archived(subscriber: User) -> None:
    assert claim(job_in(Status.COMPLETED, subscriber), Status.ARCHIVING) is None


def test_results_of_a_free_user_are_not_thawed(owner: User) -> None:
    assert claim(job_in(Status.ARCHIVED, owner), Status.THAWING) is None


def test_a_thaw_under_way_goes_on_after_a_downgrade(owner: User) -> None:
    assert claim(job_in(Status.THAWING, owner), Status.THAWING)
    assert claim(job_in(Status.THAWING, owner), Status.RESTORING)


def test_an_archiving_under_way_goes_on_after_an_upgrade(subscriber: User) -> None:
    assert claim(job_in(Status.ARCHIVING, subscriber), Status.ARCHIVING)


@pytest.mark.parametrize("into", sorted(IN_FLIGHT))
def test_a_held_job_is_claimed_by_nobody_else(owner: User, subscriber: User, into: Status) -> None:
    job = job_in(CLAIMED_FROM[into], owner_for(into, owner, subscriber))
    claimed(job, into)
    for other in IN_FLIGHT:
        assert claim(job, other, worker="second") is None


def test_a_job_whose_lease_ran_out_is_taken_over_and_the_setback_counted(owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    claimed(job, Status.RUNNING, worker="silent")
    for setbacks in (1, 2):
        expire(job)
        held = claimed(job, Status.RUNNING, worker="next")
        assert (held.setbacks, held.attempt) == (setbacks, setbacks + 1)
    takeover = job.events.last()
    assert takeover is not None
    assert (takeover.before, takeover.after) == (Status.RUNNING, Status.RUNNING)
    assert takeover.reason == "taken over from a silent worker"


def test_a_worker_that_was_taken_over_can_write_no_more(owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    silent = claimed(job, Status.RUNNING)
    expire(job)
    claimed(job, Status.RUNNING)  # the same worker's name: only the attempt tells them apart
    with pytest.raises(LeaseLost):
        silent.renew(LEASE)
    with pytest.raises(LeaseLost):
        silent.let_go(wake_in=timedelta(0))
    with pytest.raises(LeaseLost):
        silent.advance(Status.FAILED, failure="stale")


def test_a_late_worker_that_nobody_took_over_may_go_on(owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    held = claimed(job, Status.RUNNING)
    expire(job)
    held.renew(LEASE)
    assert claim(job, Status.RUNNING, worker="second") is None


def test_a_job_let_go_is_resumed_when_due_without_a_setback_or_an_event(owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    claimed(job, Status.RUNNING).let_go(wake_in=timedelta(minutes=5))
    assert claim(job, Status.RUNNING) is None
    make_due(job)
    held = claimed(job, Status.RUNNING)
    assert (held.setbacks, held.attempt) == (0, 2)
    assert job.events.count() == 1


def test_a_breakdown_on_our_side_counts_as_a_setback(owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    claimed(job, Status.RUNNING).let_go(wake_in=timedelta(0), setbacks=4)
    assert claimed(job, Status.RUNNING).setbacks == 4


def test_setbacks_belong_to_one_step(subscriber: User) -> None:
    job = job_in(Status.ARCHIVED, subscriber)
    claimed(job, Status.THAWING).let_go(wake_in=timedelta(0), setbacks=4)
    assert claimed(job, Status.RESTORING).setbacks == 0


def test_moving_on_gives_up_the_lease_and_every_date(owner: User) -> None:
    held = claimed(job_in(Status.QUEUED, owner), Status.RUNNING)
    held.advance(Status.COMPLETED, **NEEDS[Status.COMPLETED])
    assert (held.lease_owner, held.lease_until) == ("", None)
    assert (held.wake_at, held.sent_at, held.setbacks) == (None, None, 0)


def test_a_claim_that_was_used_up_is_stale(owner: User) -> None:
    held = claimed(job_in(Status.QUEUED, owner), Status.RUNNING)
    held.advance(Status.COMPLETED, **NEEDS[Status.COMPLETED])
    with pytest.raises(LeaseLost):
        held.advance(Status.ARCHIVING)
    with pytest.raises(LeaseLost):
        held.renew(LEASE)


def test_letting_go_says_when_a_message_was_sent_for_the_next_step(owner: User) -> None:
    held = claimed(job_in(Status.QUEUED, owner), Status.RUNNING)
    held.let_go(wake_in=timedelta(minutes=5))
    held.refresh_from_db()
    assert held.sent_at is not None
    assert held.wake_at is not None
    assert timedelta(minutes=4) < held.wake_at - held.sent_at <= timedelta(minutes=5)


def test_each_attempt_writes_at_a_place_of_its_own(owner: User) -> None:
    job = job_in(Status.QUEUED, owner)
    first = claimed(job, Status.RUNNING)
    expire(job)
    second = claimed(job, Status.RUNNING)
    assert first.fresh_prefix == f"results/{job.pk}/1/"
    assert second.fresh_prefix == f"results/{job.pk}/2/"


@pytest.mark.parametrize("into", sorted(IN_FLIGHT - {Status.RUNNING}))
def test_a_job_that_stalls_rests_where_it_is_and_staff_are_told_once(
    owner: User, subscriber: User, into: Status
) -> None:
    job = job_in(CLAIMED_FROM[into], owner_for(into, owner, subscriber))
    held = claimed(job, into, worker="first")
    held.stall("access denied")
    job.refresh_from_db()
    assert (job.state, job.lease_until, job.wake_at, job.is_stalled) == (into, None, None, True)
    assert claim(job, into) is None
    event = job.events.last()
    assert event is not None
    assert (event.actor, event.reason) == ("first", "stalled: access denied")
    alarm = Alarm.objects.get()
    assert (alarm.job_id, alarm.told_at) == (job.pk, None)
    with pytest.raises(LeaseLost):
        held.stall("once more")
    assert Alarm.objects.count() == 1


def test_trouble_is_dated_from_its_first_day_and_gone_when_the_step_goes_well(
    owner: User,
) -> None:
    job = job_in(Status.COMPLETED, owner)
    claimed(job, Status.ARCHIVING).let_go(wake_in=timedelta(0), setbacks=1, trouble="refused")
    job.refresh_from_db()
    since = job.troubled_at
    assert since is not None
    assert not job.is_stalled
    claimed(job, Status.ARCHIVING).let_go(wake_in=timedelta(0), trouble="refused once more")
    job.refresh_from_db()
    assert (job.troubled_at, job.trouble) == (since, "refused once more")
    claimed(job, Status.ARCHIVING).advance(Status.ARCHIVED, archived_at=Now())
    job.refresh_from_db()
    assert (job.troubled_at, job.trouble, job.setbacks) == (None, "", 0)
