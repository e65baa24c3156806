"""Subscriptions: what a verified payment event changes, all in one transaction."""

import logging

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from gas.billing import get_billing
from gas.billing.protocol import Event, EventKind, SubscriptionState
from gas.commits import after_commit
from gas.models import AccountEvent, BillingEvent, Notice, Subscription, User
from tasks import entitlement, leaving
from tasks.notify import notify

logger = logging.getLogger(__name__)

ENTITLING = (SubscriptionState.ACTIVE, SubscriptionState.UNPAID)


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
    """Apply one webhook, once; EventRefused when it is not the provider's.

    BillingUnavailable leaves no trace of the event, so that the provider's repeat is applied.
    """
    event = get_billing().verified_event(payload=payload, signature=signature)
    with transaction.atomic():
        _, new = BillingEvent.objects.get_or_create(
            event_id=event.id,
            defaults={"kind": event.kind, "subscription": event.subscription_id},
        )
        if new and event.kind is not EventKind.OTHER:
            _apply(event)


def _apply(event: Event) -> None:
    """Make the account what the provider says is true now, whatever the order of its events."""
    open_accounts = User.objects.filter(left_at=None)
    user = open_accounts.select_for_update(of=("self",)).filter(pk=event.user_id or 0).first()
    if user is None:
        _refuse_of_nobody(event)
        return
    state = get_billing().subscription_state(event.subscription_id)  # asked under the lock
    if state is SubscriptionState.ENDED:
        end(provider_id=event.subscription_id)
    elif state in ENTITLING:
        if _is_entitled_by_another(user, event.subscription_id):
            get_billing().cancel(subscription_id=event.subscription_id)  # bought twice
            return
        activate(user=user, customer_id=event.customer_id, provider_id=event.subscription_id)
        _note_payment(event.subscription_id, is_unpaid=state is SubscriptionState.UNPAID)


def _is_entitled_by_another(user: User, provider_id: str) -> bool:
    """Whether another subscription is paid for; one whose end we have yet to hear of ends now."""
    current = active_subscription(user)
    if current is None or current.provider_id == provider_id:
        return False
    if get_billing().subscription_state(current.provider_id) is SubscriptionState.ENDED:
        end(provider_id=current.provider_id)
        return False
    return True


def _refuse_of_nobody(event: Event) -> None:
    """End what somebody bought who has left meanwhile; who was never here is left to staff."""
    if AccountEvent.objects.filter(
        account_id=event.user_id, what__startswith=leaving.LEFT
    ).exists():
        get_billing().cancel(subscription_id=event.subscription_id)
    else:
        logger.error("%s is about an account that does not exist", event.subscription_id)


@transaction.atomic
def activate(*, user: User, customer_id: str, provider_id: str) -> None:
    """Start the paid period: results stay at hand, and everything archived is asked back."""
    if active_subscription(user):
        return
    subscription, _ = Subscription.objects.update_or_create(
        provider_id=provider_id,
        defaults={
            "user": user,
            "customer_id": customer_id,
            "status": Subscription.Status.ACTIVE,
            "ended_at": None,
        },
        create_defaults={
            "user": user,
            "customer_id": customer_id,
            "started_at": timezone.now(),
        },
    )
    entitlement.begin(user)
    _owe(subscription, Notice.Kind.SUBSCRIBED)


def _note_payment(provider_id: str, *, is_unpaid: bool) -> None:
    """Remember since when the card is tried in vain, and say so once each time that begins."""
    mine = Subscription.objects.filter(
        provider_id=provider_id, status=Subscription.Status.ACTIVE, unpaid_since__isnull=is_unpaid
    )
    since = timezone.now() if is_unpaid else None
    if mine.update(unpaid_since=since) and is_unpaid:
        _owe(Subscription.objects.get(provider_id=provider_id), Notice.Kind.UNPAID)


@transaction.atomic
def end(*, provider_id: str) -> None:
    """End the paid period: results stay at hand for a grace period, then they archive.

    They stay for longer where staff gave premium.
    """
    active = Subscription.objects.filter(provider_id=provider_id, status=Subscription.Status.ACTIVE)
    # Its account is locked first, as by an event: else each could wait for the other.
    User.objects.select_for_update(of=("self",)).filter(pk__in=active.values("user")).first()
    subscription = active.select_for_update(of=("self",)).first()
    if subscription is None:
        return
    subscription.status, subscription.ended_at = Subscription.Status.ENDED, timezone.now()
    subscription.unpaid_since = None
    subscription.save(update_fields=["status", "ended_at", "unpaid_since"])
    entitlement.end(subscription.user)
    _owe(subscription, Notice.Kind.ENDED)


def ask_again() -> int:
    """End subscriptions that have ended at the provider without our knowing; returns how many.

    Raises BillingUnavailable.
    """
    active = Subscription.objects.filter(status=Subscription.Status.ACTIVE)
    ids = list(active.values_list("provider_id", flat=True))
    over = [one for one in ids if get_billing().subscription_state(one) is SubscriptionState.ENDED]
    for provider_id in over:
        end(provider_id=provider_id)
    return len(over)


def give_up(*, user: User) -> None:
    """End the subscription of somebody who leaves, at the provider first.

    Raises BillingUnavailable when that cannot be done now; then nothing has changed.
    """
    if current := active_subscription(user):
        get_billing().cancel(subscription_id=current.provider_id)
        end(provider_id=current.provider_id)


def _owe(subscription: Subscription, kind: Notice.Kind) -> None:
    """Owe a mail about this change; inside its transaction."""
    Subscription.objects.filter(pk=subscription.pk).update(changes=F("changes") + 1)
    subscription.refresh_from_db(fields=["changes"])
    Notice.objects.create(subscription=subscription, kind=kind, attempt=subscription.changes)
    after_commit(notify.delay)  # the sweeper sends for what this cannot
