"""Calls of webhooks: owed with the move of a job, tried for a day, each owner in turn."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django.db.models import F
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from gas.models import (
    TRANSITIONS,
    AccountEvent,
    Delivery,
    Job,
    Notice,
    Status,
    User,
    Webhook,
    WebhookEvent,
)
from gas.models.webhooks import NEWS
from gas.sealing import seal
from gas.services import jobs
from gas.webhooks.sending import Answer
from gas.webhooks.signing import new_secret, signature
from tasks import deliver as module
from tasks.sweep import sweep
from tests.seams.letters import body_of
from tests.seams.world import World

SECRET = new_secret()
REFUSED = Answer(500, "later")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

Hook = Callable[..., Webhook]


@pytest.fixture(autouse=True)
def long_retention(settings: Settings) -> None:
    """The hours of these tests bring no job to the archive by themselves."""
    settings.FREE_RETENTION = timedelta(days=30)


@pytest.fixture
def hook(owner: User) -> Hook:
    """Make a webhook of the owner, for all events."""

    def make(*events: WebhookEvent, **columns: object) -> Webhook:
        row = {
            "owner": owner,
            "url": "https://hooks.example.org/gas",
            "secret": seal(SECRET),
            "events": list(events or WebhookEvent),
        }
        return Webhook.objects.create(**row | columns)

    return make


def time_passes(webhook: Webhook, span: timedelta) -> None:
    """Let rest and due times of a webhook come nearer."""
    for column in ("rests_until", "wake_at", "failing_since", "lease_until", "sent_at"):
        Webhook.objects.filter(pk=webhook.pk).update(**{column: F(column) - span})
    for column in ("wake_at", "created_at"):
        webhook.deliveries.update(**{column: F(column) - span})


def turn(world: World, webhook: Webhook) -> str:
    """Let a worker take the message of a webhook."""
    module.deliver.delay(webhook.pk)
    return world.broker.deliver("deliver")


def owed(webhook: Webhook, event: WebhookEvent = WebhookEvent.COMPLETED) -> Delivery:
    """A call that is owed, about job 7."""
    delivery = webhook.owe(event, job_id=7)
    delivery.refresh_from_db()
    return delivery


def again(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(pk=delivery.pk)


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


# --- the end --------------------------------------------------------------------------------------


def test_a_webhook_that_fails_for_days_is_switched_off_and_its_owner_told(
    world: World, hook: Hook, owner: User
) -> None:
    webhook = hook(failures=module.MOST_FAILURES - 1, failing_since=Now() - 6 * DAY)
    first, waiting = owed(webhook), owed(webhook)
    world.receiver.answer = REFUSED
    turn(world, webhook)
    webhook.refresh_from_db()
    assert (webhook.is_on, webhook.disabled_reason) == (False, "Every call of 5 days has failed.")
    assert not again(first).is_owed
    assert not again(waiting).is_owed
    assert AccountEvent.objects.get(account=owner).what.startswith(f"webhook {webhook.pk} was")
    assert Notice.objects.get().kind == Notice.Kind.UNHOOKED
    assert world.broker.deliver("notify") == "SUCCESS"
    assert world.post.sent == ["unhooked"]


def test_a_few_failures_long_apart_switch_nothing_off(world: World, hook: Hook) -> None:
    webhook = hook(failures=1, failing_since=Now() - 6 * DAY)
    owed(webhook)
    world.receiver.answer = REFUSED
    turn(world, webhook)
    webhook.refresh_from_db()
    assert webhook.is_on


def test_a_receiver_that_is_gone_is_asked_no_more(world: World, hook: Hook) -> None:
    webhook = hook()
    owed(webhook)
    world.receiver.answer = Answer(410, "")
    turn(world, webhook)
    webhook.refresh_from_db()
    assert webhook.disabled_reason == module.GONE


def test_a_secret_sealed_with_another_key_is_a_failure_that_says_so(
    world: World, hook: Hook, settings: Settings
) -> None:
    delivery = owed(hook())
    settings.TOKEN_KEYS = [b"A" * 43 + b"="]
    turn(world, delivery.webhook)
    assert "make the webhook anew" in again(delivery).said
    assert world.receiver.came == []


# --- what is lost ---------------------------------------------------------------------------------


def test_the_sweep_sends_a_lost_message_again_and_on_a_good_day_none(
    world: World, hook: Hook
) -> None:
    webhook = hook()
    sweep()
    owed(webhook)
    sweep()
    assert world.broker.names() == []
    time_passes(webhook, timedelta(hours=1))
    sweep()
    assert world.broker.names() == ["deliver"]
    sweep()
    assert world.broker.names() == ["deliver"]


def test_the_sweep_is_silent_while_a_webhook_rests_or_the_queue_is_deep(
    world: World, hook: Hook
) -> None:
    webhook = hook(rests_until=Now() + DAY)
    owed(webhook)
    time_passes(webhook, timedelta(hours=1))
    sweep()
    assert world.broker.names() == []
    Webhook.objects.update(rests_until=None)
    world.letters.deeper = 5
    sweep()
    assert world.broker.names() == []


def test_old_calls_are_forgotten(world: World, hook: Hook, settings: Settings) -> None:
    webhook = hook()
    old, young = owed(webhook), owed(webhook)
    Delivery.objects.filter(pk=old.pk).update(created_at=Now() - settings.WEBHOOK_KEPT)
    sweep()
    assert list(Delivery.objects.all()) == [young]


def test_a_dead_letter_is_an_alarm_and_the_calls_stay_owed(world: World, hook: Hook) -> None:
    webhook = hook()
    delivery = owed(webhook)
    world.letters.post("deliver", body_of("deliver", webhook.pk))
    sweep()
    assert world.letters.in_dead_letters("deliver") == []
    assert again(delivery).is_owed


def test_a_message_names_its_owner_to_fair_queues(world: World, hook: Hook, owner: User) -> None:
    module.deliver.delay(hook().pk)
    (message,) = world.broker.arrived("deliver")
    assert message.properties["MessageGroupId"] == str(owner.pk)


def test_neither_address_nor_secret_reaches_the_log(
    world: World, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    webhook = hook(url="https://hooks.example.org/planted-path?key=planted")
    owed(webhook)
    world.receiver.answer = REFUSED
    turn(world, webhook)
    assert f"webhook {webhook.pk} failed: 500" in caplog.text
    assert "planted" not in caplog.text
    assert SECRET not in caplog.text


# --- deaths ---------------------------------------------------------------------------------------


@pytest.mark.in_memory
def test_a_call_is_made_at_least_once_wherever_the_worker_that_makes_it_dies(
    world: World, hook: Hook
) -> None:
    delivery = owed(hook())
    module.deliver.delay(delivery.webhook_id)
    for step in count():
        with world.on_trial():
            died = world.dies("deliver", before=step)
            called = len(world.receiver.came)
            world.until_quiet()
            assert again(delivery).delivered_at is not None
            ids = {headers["webhook-id"] for headers, _ in world.receiver.came}
            assert ids == {str(delivery.message_id)}
            assert len(world.receiver.came) - called <= 1
        if not died:
            break
    assert step >= 4
