"""Calls of webhooks: owed with the move of a job, tried for a day, each owner in turn."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from gas.models import (
    TRANSITIONS,
    Delivery,
    Job,
    OwnerBusy,
    Status,
    User,
    Webhook,
    WebhookEvent,
)
from gas.models.webhooks import NEWS
from gas.services import jobs
from gas.webhooks.sending import Answer
from gas.webhooks.signing import signature
from tasks import deliver as module
from tests.seams.world import World
from tests.unit.tasks.webhooks import (
    DAY,
    MINUTE,
    REFUSED,
    SECRET,
    Hook,
    again,
    owed,
    time_passes,
    turn,
)
from tests.unit.tasks.webhooks import hook as hook


@pytest.fixture(autouse=True)
def long_retention(settings: Settings) -> None:
    """The hours of these tests bring no job to the archive by themselves."""
    settings.FREE_RETENTION = timedelta(days=30)


# --- what is owed ---------------------------------------------------------------------------------


def test_every_event_of_a_job_is_a_move_that_jobs_make() -> None:
    assert set(NEWS.values()) == set(WebhookEvent) - {WebhookEvent.TEST}
    assert all(after in TRANSITIONS[before] for before, after in NEWS)


def test_a_job_that_goes_the_whole_way_owes_each_of_its_events_once(
    world: World, owner: User, hook: Hook
) -> None:
    hook()
    job = world.restoring(owner)
    world.until_quiet()
    assert world.receiver.events == [
        WebhookEvent.STARTED,
        WebhookEvent.COMPLETED,
        WebhookEvent.ARCHIVED,
        WebhookEvent.RESTORED,
    ]
    assert {told["data"]["job"]["id"] for _, told in world.receiver.came} == {job.pk}


def test_only_chosen_events_of_its_own_jobs_are_owed_to_a_webhook_that_is_on(
    world: World, owner: User, stranger: User, hook: Hook
) -> None:
    chosen = hook(WebhookEvent.FAILED)
    hook(is_active=False)
    hook(owner=stranger)
    hook(disabled_at=Now(), disabled_reason="dead")
    world.queued(owner)
    world.storage.kept.clear()
    world.until_quiet()
    assert [each.webhook_id for each in Delivery.objects.all()] == [chosen.pk]
    assert world.receiver.events == [WebhookEvent.FAILED]


def test_nothing_is_owed_for_a_move_that_did_not_happen(
    world: World, owner: User, hook: Hook
) -> None:
    hook()
    job = world.queued(owner)
    assert not Job.objects.move(job.pk, Status.RUNNING, Status.CANCELLED, actor="x")
    assert not Delivery.objects.exists()


def test_the_message_follows_the_commit_and_is_one_for_many_calls(
    world: World,
    owner: User,
    hook: Hook,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    webhook = hook()
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            jobs.cancel(job=world.submitted(owner), actor=owner)
        assert world.broker.names() == []
    assert [message.args for message in world.broker.arrived("deliver")] == [(webhook.pk,)]
    assert world.broker.deliver("deliver") == "SUCCESS"
    assert world.receiver.events == [WebhookEvent.CANCELLED] * 3


def test_the_call_of_a_deleted_job_is_still_made(world: World, owner: User, hook: Hook) -> None:
    hook(WebhookEvent.CANCELLED)
    job = world.submitted(owner)
    jobs.cancel(job=job, actor=owner)
    jobs.delete(job=job, actor=owner)
    world.until_quiet()
    assert world.receiver.events == [WebhookEvent.CANCELLED]


def test_a_worker_that_was_given_up_ends_nobody_elses_turn(hook: Hook) -> None:
    webhook = hook()
    late = Webhook.objects.take(webhook.pk, worker="late", lease=-MINUTE, early=timedelta())
    assert late
    assert Webhook.objects.take(webhook.pk, worker="another", lease=MINUTE, early=timedelta())
    assert late.let_go() is None
    with pytest.raises(OwnerBusy):
        Webhook.objects.take(webhook.pk, worker="a third", lease=MINUTE, early=timedelta())


# --- what is said ---------------------------------------------------------------------------------


def test_a_call_is_signed_as_the_specification_says_and_keeps_its_id(
    world: World, hook: Hook
) -> None:
    delivery = owed(hook())
    world.receiver.answer = REFUSED
    turn(world, delivery.webhook)
    Webhook.objects.update(rests_until=None)
    Delivery.objects.update(wake_at=Now())
    world.receiver.answer = Answer(200, "")
    turn(world, delivery.webhook)
    (first, one), (second, other) = world.receiver.came
    assert one == other
    assert first["webhook-id"] == second["webhook-id"] == str(delivery.message_id)
    assert second["webhook-signature"].startswith("v1,")


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the specification's own libraries."""
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_call_holds_nothing_of_a_person_a_file_or_a_variant(
    world: World, owner: User, hook: Hook
) -> None:
    hook(WebhookEvent.COMPLETED)
    world.queued(owner)
    world.until_quiet()
    ((headers, told),) = world.receiver.came
    job = told["data"]["job"]
    assert set(told) == {"type", "timestamp", "data"}
    assert set(job) == {"id", "status", "links"}
    assert job["status"] == "completed"
    said = f"{told}{headers}"
    assert not any(
        word in said for word in ("cohort", "Cohort", owner.email, owner.username, SECRET)
    )


# --- tries ----------------------------------------------------------------------------------------


def test_what_fails_is_tried_ever_more_patiently_for_a_day_and_then_given_up(
    world: World, hook: Hook
) -> None:
    delivery = owed(hook())
    world.receiver.answer = REFUSED
    waits = []
    while again(delivery).is_owed:
        world.broker.lose()
        turn(world, delivery.webhook)
        now = again(delivery)
        if now.wake_at and now.tried_at:
            waits.append(now.wake_at - now.tried_at)
            time_passes(delivery.webhook, waits[-1])
    seconds = [round(wait.total_seconds()) for wait in waits]
    assert seconds[:5] == [30, 120, 480, 1920, 7680]
    assert abs(sum(seconds) - DAY.total_seconds()) < 60
    given_up = again(delivery)
    assert (given_up.tries, given_up.answered, given_up.said) == (len(waits) + 1, 500, "later")
    assert turn(world, delivery.webhook) == "SUCCESS"


def test_a_retry_is_one_message_with_a_countdown(world: World, hook: Hook) -> None:
    webhook = hook()
    owed(webhook)
    world.receiver.answer = REFUSED
    for _ in range(3):  # twins find it resting
        module.deliver.delay(webhook.pk)
    assert world.broker.deliver("deliver") == "RETRY"
    assert world.broker.deliver("deliver") == "SUCCESS"
    assert world.broker.deliver("deliver") == "SUCCESS"
    (retry,) = world.broker.arrived("deliver")
    assert 25 <= retry.delay <= 30
    assert len(world.receiver.came) == 1


def test_a_retry_that_is_woken_a_moment_early_waits_that_moment(world: World, hook: Hook) -> None:
    webhook = hook()
    owed(webhook)
    world.receiver.answer = REFUSED
    module.deliver.delay(webhook.pk)
    assert world.broker.deliver("deliver") == "RETRY"
    time_passes(webhook, timedelta(seconds=29))
    assert world.broker.deliver("deliver") == "RETRY"
    (retry,) = world.broker.arrived("deliver")
    assert retry.delay <= 2


def test_a_test_is_tried_once(world: World, hook: Hook) -> None:
    delivery = hook().owe(WebhookEvent.TEST)
    world.receiver.answer = REFUSED
    turn(world, delivery.webhook)
    assert not again(delivery).is_owed


def test_a_webhook_that_fails_rests_and_its_next_call_waits(world: World, hook: Hook) -> None:
    webhook = hook()
    owed(webhook)
    owed(webhook)
    world.receiver.answer = REFUSED
    module.deliver.delay(webhook.pk)
    assert world.broker.deliver("deliver") == "RETRY"
    assert len(world.receiver.came) == 1
    assert webhook.next_due() is None
    time_passes(webhook, MINUTE)
    world.receiver.answer = Answer(200, "")
    assert world.broker.deliver("deliver") == "SUCCESS"
    assert len(world.receiver.came) == 3
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since, webhook.rests_until) == (0, None, None)


def test_a_slow_receiver_has_its_turn_and_then_goes_to_the_end_of_the_queue(
    world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TURN_SECONDS", 0)
    webhook = hook()
    owed(webhook)
    owed(webhook)
    module.deliver.delay(webhook.pk)
    assert world.broker.deliver("deliver") == "RETRY"
    assert len(world.receiver.came) == 1
    assert [message.delay for message in world.broker.arrived("deliver")] == [0]


def test_an_owner_has_one_worker_at_a_time(world: World, hook: Hook) -> None:
    one, other = hook(), hook()
    owed(one)
    owed(other)
    seen: list[str] = []
    world.receiver.meanwhile = lambda: seen.append(turn(world, other))
    turn(world, one)
    assert seen == ["RETRY"]
    assert len(world.receiver.came) == 1
    world.receiver.meanwhile = lambda: None
    assert world.broker.deliver("deliver") == "SUCCESS"
    assert len(world.receiver.came) == 2


def test_a_call_that_is_owed_during_a_turn_is_made_in_it(world: World, hook: Hook) -> None:
    webhook = hook()
    owed(webhook)
    more = [WebhookEvent.FAILED]
    world.receiver.meanwhile = lambda: owed(webhook, more.pop()) if more else None
    turn(world, webhook)
    assert world.receiver.events == [WebhookEvent.COMPLETED, WebhookEvent.FAILED]
