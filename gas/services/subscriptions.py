"""Subscriptions: what a verified payment event changes, all in one transaction."""

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from gas.billing import get_billing
from gas.billing.protocol import Event, EventKind
from gas.models import BillingEvent, Job, Plan, Status, Subscription, User
from tasks import pipeline

#: Thaws asked for at once when somebody subscribes; the sweeper sends the rest in its own time.
FIRST_THAWS = 100


class SubscriptionRefused(Exception):
    """Not possible for this account; the message is one sentence for its owner."""


def active_subscription(user: User) -> Subscription | None:
    """The subscription that entitles this account, if any."""
    return user.subscriptions.filter(status=Subscription.Status.ACTIVE).first()


def checkout(*, user: User, success_url: str, cancel_url: str) -> str:
    """Return the address where this user pays; asking twice does not sell twice."""
    if active_subscription(user):
        raise SubscriptionRefused("You are subscribed already.")
    key = f"gas-{user.pk}-{user.subscriptions.count()}-{timezone.now():%Y%m%d}"
    return get_billing().checkout(
        user_id=user.pk,
        email=user.email,
        success_url=success_url,
        cancel_url=cancel_url,
        idempotency_key=key,
    )


def portal(*, user: User, return_url: str) -> str:
    """Return the address where this user sees invoices and cancels."""
    subscription = user.subscriptions.order_by("-started_at").first()
    if subscription is None:
        raise SubscriptionRefused("You have no subscription to manage.")
    return get_billing().portal(customer_id=subscription.customer_id, return_url=return_url)


def receive_event(*, payload: bytes, signature: str) -> None:
    """Apply one webhook, once; EventRefused when it is not the provider's."""
    event = get_billing().verified_event(payload=payload, signature=signature)
    with transaction.atomic():
        _, new = BillingEvent.objects.get_or_create(
            event_id=event.id, defaults={"kind": event.kind}
        )
        if new:
            _apply(event)


def _apply(event: Event) -> None:
    if event.kind is EventKind.STARTED and event.user_id is not None:
        activate(
            user_id=event.user_id,
            customer_id=event.customer_id,
            provider_id=event.subscription_id,
        )
    elif event.kind is EventKind.ENDED:
        end(provider_id=event.subscription_id)


@transaction.atomic
def activate(*, user_id: int, customer_id: str, provider_id: str) -> None:
    """Start the paid period: results stay at hand, and everything archived is asked back."""
    user = User.objects.select_for_update(of=("self",)).get(pk=user_id)
    if Subscription.objects.filter(provider_id=provider_id).exists():
        return
    bought_twice = active_subscription(user) is not None
    Subscription.objects.create(
        user=user,
        customer_id=customer_id,
        provider_id=provider_id,
        started_at=timezone.now(),
        status=Subscription.Status.ENDED if bought_twice else Subscription.Status.ACTIVE,
        ended_at=timezone.now() if bought_twice else None,
    )
    if bought_twice:
        transaction.on_commit(lambda: get_billing().cancel(subscription_id=provider_id))
        return
    User.objects.filter(pk=user.pk).update(plan=Plan.PREMIUM)
    user.jobs.filter(status=Status.COMPLETED).update(wake_at=None, sent_at=None)
    user.jobs.filter(status=Status.ARCHIVED).update(wake_at=Now(), sent_at=None)
    transaction.on_commit(lambda: _send_first_thaws(user), robust=True)


def _send_first_thaws(user: User) -> None:
    for job in user.jobs.filter(status=Status.ARCHIVED).due()[:FIRST_THAWS]:
        pipeline.send(job)


@transaction.atomic
def end(*, provider_id: str) -> None:
    """End the paid period: results stay at hand for a grace period, then they archive."""
    subscription = (
        Subscription.objects.select_for_update(of=("self",))
        .filter(provider_id=provider_id, status=Subscription.Status.ACTIVE)
        .first()
    )
    if subscription is None:
        return
    subscription.status, subscription.ended_at = Subscription.Status.ENDED, timezone.now()
    subscription.save(update_fields=["status", "ended_at"])
    User.objects.filter(pk=subscription.user_id).update(plan=Plan.FREE)
    Job.objects.filter(owner_id=subscription.user_id, status=Status.COMPLETED).update(
        wake_at=Now() + settings.DOWNGRADE_GRACE, sent_at=None
    )
