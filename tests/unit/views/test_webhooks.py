"""Webhooks by the pages: made with a secret that is shown once, tried, paused, sent again."""

from http import HTTPStatus
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from gas.models import AccountEvent, Delivery, User, Webhook, WebhookEvent
from gas.sealing import unseal
from gas.services import webhooks
from gas.services.webhooks import MOST, WebhookRefused
from tests.seams.world import World

NEW: dict[str, Any] = {
    "url": "https://hooks.example.org/gas",
    "events": ["job.completed", "job.failed"],
}
HERE = "/account/webhooks/"


@pytest.fixture
def webhook(owner: User) -> Webhook:
    return webhooks.add(user=owner, url=NEW["url"], events=[WebhookEvent.COMPLETED]).webhook


def words(client: Client, address: str = HERE) -> str:
    return client.get(address).content.decode()


def test_a_secret_is_shown_once_and_kept_sealed(researcher: Client) -> None:
    answer = researcher.post(HERE, NEW)
    secret = answer.content.decode().partition('id="secret">')[2].partition("<")[0]
    made = Webhook.objects.get()
    assert secret.startswith("whsec_")
    assert unseal(made.secret) == secret
    assert secret not in words(researcher) + words(researcher, f"{HERE}{made.pk}/")
    assert secret not in str(list(Webhook.objects.values()))
    assert answer["Cache-Control"] == "private, no-store"
    assert made.events == ["job.completed", "job.failed"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": ""}, "give the address"),
        ({"url": "http://hooks.example.org/"}, "begins with https"),
        ({"url": "https://10.0.0.1/"}, "not public"),
        ({"url": "https://hooks.example.org:25/"}, "use port 443"),
        ({"events": []}, "choose what the webhook is called for"),
        ({"events": ["webhook.test"]}, "not one of the available choices"),
        ({"events": ["job.exploded"]}, "not one of the available choices"),
    ],
)
def test_a_webhook_that_makes_no_sense_is_not_made(
    researcher: Client, change: dict[str, object], said: str
) -> None:
    answer = researcher.post(HERE, NEW | change)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in answer.content.decode()
    assert not Webhook.objects.exists()


def test_an_account_has_only_so_many(researcher: Client) -> None:
    for _ in range(MOST):
        researcher.post(HERE, NEW)
    assert "delete one first" in researcher.post(HERE, NEW).content.decode()
    assert Webhook.objects.count() == MOST


def test_no_production_lets_webhooks_lead_to_itself(researcher: Client, settings: Settings) -> None:
    settings.WEBHOOK_LOOPBACK = False
    answer = researcher.post(HERE, NEW | {"url": "http://127.0.0.1:8000/"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_a_test_is_sent_and_seen_with_its_answer(
    world: World,
    researcher: Client,
    webhook: Webhook,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        researcher.post(f"{HERE}{webhook.pk}/test/")
    assert "on its way" in words(researcher, f"{HERE}{webhook.pk}/")
    world.broker.deliver("deliver")
    page = words(researcher, f"{HERE}{webhook.pk}/")
    assert "answered 204" in page
    assert str(Delivery.objects.get().message_id) in page
    ((_, told),) = world.receiver.came
    assert (told["type"], told["data"]) == ("webhook.test", {"webhook": {"id": webhook.pk}})


def test_one_test_at_a_time(researcher: Client, webhook: Webhook) -> None:
    for _ in range(3):
        researcher.post(f"{HERE}{webhook.pk}/test/")
    assert Delivery.objects.count() == 1


def test_what_a_receiver_says_is_only_words(researcher: Client, webhook: Webhook) -> None:
    delivery = webhook.owe(WebhookEvent.FAILED, job_id=7)
    delivery.record_taken(answered=200, said="<script>alert(1)</script>")
    page = words(researcher, f"{HERE}{webhook.pk}/")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_sending_again_keeps_the_id(
    world: World,
    researcher: Client,
    webhook: Webhook,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    delivery = webhook.owe(WebhookEvent.FAILED, job_id=7)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            researcher.post(f"/account/deliveries/{delivery.message_id}/send/")
            webhook.call_after_commit()
        world.broker.deliver("deliver")
    ids = [headers["webhook-id"] for headers, _ in world.receiver.came]
    assert ids == [str(delivery.message_id)] * 2


def test_pausing_owes_nothing_and_resuming_begins_anew(
    researcher: Client, webhook: Webhook
) -> None:
    delivery = webhook.owe(WebhookEvent.COMPLETED, job_id=7)
    researcher.post(f"{HERE}{webhook.pk}/pause/")
    assert "paused" in words(researcher)
    assert not Delivery.objects.owed().exists()
    with pytest.raises(WebhookRefused, match="resume"):
        webhooks.redeliver(delivery=delivery)
    with pytest.raises(WebhookRefused, match="resume"):
        webhooks.try_out(webhook=webhook)
    researcher.post(f"{HERE}{webhook.pk}/resume/")
    assert Webhook.objects.on().exists()
    assert not Delivery.objects.owed().exists()


def test_one_that_was_switched_off_says_why_and_can_be_resumed(
    researcher: Client, webhook: Webhook
) -> None:
    Webhook.objects.update(failures=12, failing_since=Now())
    webhook.switch_off("Every call of 5 days has failed.")
    assert "Every call of 5 days has failed." in words(researcher, f"{HERE}{webhook.pk}/")
    researcher.post(f"{HERE}{webhook.pk}/resume/")
    resumed = Webhook.objects.get()
    assert (resumed.is_on, resumed.failures) == (True, 0)


def test_deleting_takes_its_deliveries_along_and_is_written_down(
    researcher: Client, webhook: Webhook
) -> None:
    webhook.owe(WebhookEvent.COMPLETED, job_id=7)
    researcher.post(f"{HERE}{webhook.pk}/delete/")
    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()
    said = list(AccountEvent.objects.order_by("pk").values_list("what", flat=True))
    assert said == [f"made webhook {webhook.pk}", f"deleted webhook {webhook.pk}"]


def test_older_deliveries_are_a_page_further(researcher: Client, webhook: Webhook) -> None:
    rows = [Delivery(webhook=webhook, event=WebhookEvent.FAILED, job_number=n) for n in range(30)]
    Delivery.objects.bulk_create(rows)
    first = words(researcher, f"{HERE}{webhook.pk}/")
    assert first.count("A job failed</strong>") == 25
    older = first.partition('href="?before=')[2].partition('"')[0]
    assert words(researcher, f"{HERE}{webhook.pk}/?before={older}").count("failed</strong>") == 5
    assert words(researcher, f"{HERE}{webhook.pk}/?before=x").count("failed</strong>") == 25


def test_the_help_shows_a_call_whose_signature_is_right(client: Client) -> None:
    page = client.get("/help/webhooks/").content.decode()
    assert "webhook-signature: v1," in page
    assert "job.restored" in page
    assert "30 seconds, 2 minutes, 8 minutes, 32 minutes, 128 minutes" in page
