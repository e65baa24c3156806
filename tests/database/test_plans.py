"""Changes of plan, submissions, mails and sweeps that meet in the database."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import transaction

from gas.billing.protocol import Event, EventKind, SubscriptionState
from gas.models import Job, Notice, Plan, Status, Subscription, Upload, User
from gas.services import jobs, subscriptions, uploads
from gas.services.jobs import JobRefused
from gas.services.staff import jobs as staff_jobs
from gas.services.staff.acts import ActRefused
from gas.storage.locations import inputs
from tests.database.threads import at_once
from tests.seams.world import VCF, World, read, state
from tests.unit.domain.rows import job_in

ROUNDS = 8


def sent(world: World, owner: User) -> Upload:
    upload = uploads.begin(owner=owner, filename="a.vcf").upload
    world.storage.kept[str(inputs(upload.key))] = VCF
    return upload


def deliver(world: World, task: str) -> Callable[[], str]:
    message = world.broker.take(task)
    return lambda: world.broker.run(message)


def upgrade(owner: User) -> str:
    subscriptions.activate(user=owner, customer_id="cus", provider_id=f"sub-{owner.pk}")
    return "upgraded"


def end(owner: User) -> str:
    subscriptions.end(provider_id=f"sub-{owner.pk}")
    return "ended"


@pytest.fixture
def owners(db: None) -> list[User]:
    return [User.objects.create_user(f"owner-{number}") for number in range(ROUNDS)]


def test_an_upload_submitted_twice_at_once_is_one_job(world: World, owner: User) -> None:
    upload = sent(world, owner)

    def submit() -> int:
        return jobs.submit(upload=Upload.objects.get(pk=upload.pk)).pk

    first, second = at_once(submit, submit)
    assert first == second
    assert (Job.objects.count(), world.broker.names()) == (1, ["annotate"])


def test_an_upload_in_parts_submitted_twice_at_once_is_one_job(world: World, owner: User) -> None:
    begun = uploads.begin_parts(owner=owner, filename="a", size=len(VCF), first_bytes="5" * 64)
    world.storage.coming[begun.upload.parts_id][1] = VCF

    def submit() -> int:
        return jobs.submit(upload=Upload.objects.get(pk=begun.upload.pk)).pk

    first, second = at_once(submit, submit)
    assert first == second
    assert (Job.objects.count(), world.storage.coming) == (1, {})


def test_a_plan_for_one_job_takes_one_of_two_submitted_at_once(world: World, owner: User) -> None:
    Plan.objects.filter(name="free").update(max_active_jobs=1)

    def submit(upload: Upload) -> bool:
        try:
            jobs.submit(upload=upload)
        except JobRefused:
            return False
        return True

    one, other = sent(world, owner), sent(world, owner)
    assert sorted(at_once(lambda: submit(one), lambda: submit(other))) == [False, True]
    assert Job.objects.count() == 1


def test_who_subscribes_as_a_job_completes_has_no_date(world: World, owners: list[User]) -> None:
    for owner in owners:
        job = world.queued(owner)
        at_once(deliver(world, "annotate"), partial(upgrade, owner))
        assert (state(job), read(job).wake_at) == (Status.COMPLETED, None)


def test_who_subscribes_as_a_job_goes_to_the_archive_loses_nothing(
    world: World, owners: list[User]
) -> None:
    for owner in owners:
        job = world.completed(owner)
        at_once(deliver(world, "archive"), partial(upgrade, owner))
        assert state(job) in (Status.COMPLETED, Status.ARCHIVED)
        waits = state(job) is Status.ARCHIVED
        assert (read(job).wake_at is not None) == waits
    world.until_quiet()
    assert set(Job.objects.values_list("status", flat=True)) == {Status.COMPLETED}
    assert set(Job.objects.values_list("wake_at", flat=True)) == {None}


def test_who_downgrades_as_results_come_back_has_a_date(world: World, owners: list[User]) -> None:
    for owner in owners:
        job = world.archived(owner)
        upgrade(owner)
        world.broker.deliver("thaw")
        at_once(deliver(world, "restore"), partial(end, owner))
        assert state(job) is Status.COMPLETED
        assert read(job).wake_at is not None


def test_one_event_delivered_twice_at_once_is_applied_once(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = Event("evt_1", EventKind.STARTED, datetime.now(UTC), "sub_1", "cus_1", owner.pk)

    class Billing:
        def verified_event(self, *, payload: bytes, signature: str) -> Event:
            return event

        def subscription_state(self, subscription_id: str) -> SubscriptionState:
            return SubscriptionState.ACTIVE

    monkeypatch.setattr(subscriptions, "get_billing", Billing)
    at_once(*[lambda: subscriptions.receive_event(payload=b"", signature="")] * 3)
    assert Subscription.objects.count() == 1


def test_an_end_that_is_told_as_its_owner_ends_it_keeps_nobody_waiting(
    owners: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Billing:
        def verified_event(self, *, payload: bytes, signature: str) -> Event:
            number = payload.decode()
            now = datetime.now(UTC)
            return Event(number, EventKind.ENDED, now, f"sub-{number}", "cus", int(number))

        def subscription_state(self, subscription_id: str) -> SubscriptionState:
            return SubscriptionState.ENDED

    monkeypatch.setattr(subscriptions, "get_billing", Billing)
    for owner in owners:
        upgrade(owner)
        told = partial(subscriptions.receive_event, payload=str(owner.pk).encode(), signature="")
        at_once(partial(end, owner), told)
    assert set(Subscription.objects.values_list("status", flat=True)) == {"ended"}
    assert Notice.objects.filter(kind=Notice.Kind.ENDED).count() == len(owners)


def test_who_subscribes_as_staff_archive_results_has_no_date(owners: list[User]) -> None:
    def archived_now(job: Job) -> None:
        with suppress(ActRefused), transaction.atomic():
            staff_jobs.archive_now(job, actor=job.owner, reason="they asked")

    for owner in owners:
        job = job_in(Status.COMPLETED, owner)
        at_once(partial(archived_now, job), partial(upgrade, owner))
        assert read(job).wake_at is None


def test_a_mail_that_two_workers_want_to_send_is_taken_by_one(owner: User) -> None:
    notice = Notice.objects.create(
        job=job_in(Status.COMPLETED, owner), kind=Notice.Kind.COMPLETED, attempt=1
    )
    lease = timedelta(minutes=2)
    takes = [partial(notice.take, worker=name, lease=lease) for name in "abc"]
    assert sorted(at_once(*takes)) == [False, False, True]
