"""Any interleaving of workers, an owner and the clock, against a model of what must come of it."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gas.models import CLAIMED_FROM, IN_FLIGHT, TRANSITIONS, Job, LeaseLost, Plan, Status, User
from gas.services import jobs, subscriptions
from tests.unit.domain.rows import LEASE, NEEDS, claim, expire, job_in, make_due

workers = st.sampled_from(["a", "b", "c"])
claims = st.integers(min_value=0, max_value=99)  # one of all claims ever made, by its number

STEPS = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Interleaving(RuleBasedStateMachine):
    """One job; what a worker believes to hold, it may use at any time, however stale."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.owner = User.objects.create_user("researcher")
        self.job = job_in(Status.QUEUED, self.owner)
        self.status, self.moves = Status.QUEUED, [Status.QUEUED]
        self.due, self.free_plan, self.sold = True, True, 0
        self.claims: list[Job] = []
        self.holder: Job | None = None
        self.expired = False

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @rule(worker=workers, into=st.sampled_from(sorted(IN_FLIGHT)))
    def claim(self, worker: str, into: Status) -> None:
        held = claim(self.job, into, worker=worker)
        assert (held is not None) == self._may_be_claimed(into)
        if held:
            assert held.attempt == len(self.claims) + 1
            self.claims.append(held)
            self.holder, self.expired = held, False
            self._moved(into)

    @precondition(lambda self: self.claims)
    @rule(which=claims)
    def renew(self, which: int) -> None:
        held = self._claim(which)
        if held is not self.holder:
            with pytest.raises(LeaseLost):
                held.renew(LEASE)
        else:
            held.renew(LEASE)
            self.expired = False

    @precondition(lambda self: self.claims)
    @rule(which=claims, setbacks=st.integers(0, 4))
    def let_go(self, which: int, setbacks: int) -> None:
        held = self._claim(which)
        if held is not self.holder:
            with pytest.raises(LeaseLost):
                held.let_go(wake_in=timedelta(minutes=5), setbacks=setbacks)
        else:
            held.let_go(wake_in=timedelta(minutes=5), setbacks=setbacks)
            self.holder, self.due = None, False

    @precondition(lambda self: self.claims)
    @rule(which=claims, after=st.sampled_from(list(Status)))
    def advance(self, which: int, after: Status) -> None:
        held = self._claim(which)
        if after not in TRANSITIONS[held.state]:
            with pytest.raises(ValueError, match="cannot go"):
                held.advance(after)
        elif held is not self.holder:
            with pytest.raises(LeaseLost):
                held.advance(after, **NEEDS.get(after, {}))
        else:
            held.advance(after, **NEEDS.get(after, {}))
            self.holder, self.due = None, False
            self._moved(after)

    @rule()
    def lease_runs_out(self) -> None:
        expire(self.job)
        self.expired = True

    @rule()
    def time_comes(self) -> None:
        make_due(self.job)
        self.due = True

    @rule()
    def owner_cancels(self) -> None:
        if self.status not in (Status.QUEUED, Status.RUNNING):
            with pytest.raises(jobs.JobRefused):
                jobs.cancel(job=self.job, actor=self.owner)
        else:
            jobs.cancel(job=self.job, actor=self.owner)
            self.holder, self.due = None, False
            self._moved(Status.CANCELLED)

    @precondition(lambda self: self.free_plan)
    @rule()
    def owner_upgrades(self) -> None:
        self.free_plan, self.sold = False, self.sold + 1
        subscriptions.activate(user=self.owner, customer_id="cus", provider_id=f"sub-{self.sold}")
        self.due = {Status.COMPLETED: False, Status.ARCHIVED: True}.get(self.status, self.due)

    @precondition(lambda self: not self.free_plan)
    @rule()
    def owner_downgrades(self) -> None:
        self.free_plan = True
        subscriptions.end(provider_id=f"sub-{self.sold}")
        if self.status is Status.COMPLETED:
            self.due = False

    @invariant()
    def the_row_is_where_the_model_is(self) -> None:
        row = Job.objects.get(pk=self.job.pk)
        assert row.state is self.status
        assert (row.lease_until is not None) == (self.holder is not None)
        assert row.attempt == len(self.claims)

    @invariant()
    def at_most_the_holder_can_write(self) -> None:
        able = [held for held in self.claims if held._mine().exists()]
        assert able == ([self.holder] if self.holder else [])

    @invariant()
    def every_change_has_one_event_and_is_in_the_table(self) -> None:
        events = self.job.events.exclude(reason="taken over from a silent worker")
        changes = [(Status(event.before), Status(event.after)) for event in events]
        assert changes == list(zip(self.moves, self.moves[1:], strict=False))
        assert all(after in TRANSITIONS[before] for before, after in changes)

    def _claim(self, which: int) -> Job:
        return self.claims[which % len(self.claims)]

    def _moved(self, after: Status) -> None:
        if after is not self.status:
            self.moves.append(after)
        self.status = after

    def _may_be_claimed(self, into: Status) -> bool:
        plan = {Status.ARCHIVING: self.free_plan, Status.THAWING: not self.free_plan}
        if not self.due:
            return False
        if self.status is into:
            return self.holder is None or self.expired
        return self.status is CLAIMED_FROM[into] and plan.get(into, True)


def test_any_interleaving_has_one_winner_and_ends_in_an_allowed_state(db: None) -> None:
    assert Plan.objects.filter(name="free", archives=True).exists()
    run_state_machine_as_test(Interleaving, settings=STEPS)
