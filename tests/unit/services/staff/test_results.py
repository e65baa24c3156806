"""What staff ask of results: into the archive before their time, and back whatever the plan."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from gas.models import Job, Status, User
from gas.services.staff import jobs
from gas.storage.archive import Tier
from tests.seams.world import World, read, state, upgrade
from tests.unit.domain.rows import job_in
from tests.unit.services.staff.conftest import Asked


def test_results_go_to_the_archive_before_their_time(world: World, owner: User, ask: Asked) -> None:
    job = world.completed(owner)
    Job.objects.filter(pk=job.pk).update(wake_at=Now() + timedelta(days=7), sent_at=None)
    world.broker.lose()
    refused = ask("retry archive", job)
    assert "not due yet" in refused.sentence
    assert ask("archive_now", job).done
    world.until_quiet()
    assert state(job) is Status.ARCHIVED
    assert world.archive.copies


@pytest.mark.parametrize("act", ["archive_now", "retry archive"])
def test_results_of_a_subscriber_stay_at_hand(
    world: World, subscriber: User, ask: Asked, act: str
) -> None:
    job = job_in(Status.COMPLETED, subscriber)
    assert ask(act, job).sentence == "The results of this account stay at hand."


@pytest.mark.parametrize("tier", list(Tier))
def test_a_thaw_that_staff_force_brings_back_what_the_plan_would_not_for_a_while(
    world: World, owner: User, ask: Asked, tier: Tier
) -> None:
    job = world.archived(owner)
    assert "force a thaw" in ask("retry thaw", job).sentence
    assert ask("force_thaw", job, tier=tier).done
    assert world.broker.deliver("thaw") == "SUCCESS"
    assert set(job.files.exclude(archive_id="").values_list("retrieval_tier", flat=True)) == {tier}
    assert world.broker.deliver("restore") == "SUCCESS"
    after = read(job)
    assert (after.state, after.thaw_tier) == (Status.COMPLETED, "")
    assert after.wake_at is not None  # the grace period
    assert world.archive.copies == {}


def test_a_forced_thaw_whose_message_is_lost_is_sent_by_the_sweeper(
    world: World, owner: User, ask: Asked
) -> None:
    job = world.archived(owner)
    ask("force_thaw", job)
    world.broker.lose()
    world.an_hour_passes()
    assert "thaw" in world.broker.names()


def test_a_tier_that_the_archive_has_not_is_refused(
    world: World, owner: User, ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.archive.offered = frozenset({Tier.STANDARD, Tier.BULK})
    monkeypatch.setattr(jobs, "get_archive", lambda: world.archive)
    job = world.archived(owner)
    assert ask("force_thaw", job, tier=Tier.EXPEDITED).sentence == (
        "This archive has no tier Expedited."
    )
    assert read(job).thaw_tier == ""


def test_what_is_asked_back_already_is_not_asked_twice(
    world: World, owner: User, ask: Asked
) -> None:
    job = world.thawing(owner)
    world.archive.polls = 5
    assert world.broker.deliver("thaw") == "RETRY"
    assert "asked for it already" in ask("force_thaw", job).sentence


def test_an_archived_job_of_a_subscriber_that_was_missed_is_asked_back(
    world: World, owner: User, ask: Asked
) -> None:
    job = world.archived(owner)
    upgrade(owner)
    assert read(job).wake_at is None
    assert ask("retry thaw", job).done
    world.until_quiet()
    assert state(job) is Status.COMPLETED
