"""Webhooks: whom to call when jobs move, and each call that is owed, written with the move."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest, Now
from django.dispatch import Signal
from django.utils import timezone

from gas.commits import after_commit
from gas.models.account import User
from gas.models.audit import AccountEvent, Notice
from gas.models.leases import FREE, LET_GO, held_by
from gas.models.status import Status

#: Sent after the commit of what owes calls, with `webhook_id`; whoever sends messages listens.
calls_owed = Signal()


class WebhookEvent(models.TextChoices):
    """What a webhook is called for."""

    STARTED = "job.started", "A job begins"
    COMPLETED = "job.completed", "Results are ready"
    FAILED = "job.failed", "A job failed"
    CANCELLED = "job.cancelled", "A job was cancelled"
    ARCHIVED = "job.archived", "Results moved to the archive"
    RESTORED = "job.restored", "Results are back from the archive"
    TEST = "webhook.test", "A test that its owner asked for"


#: What a move of a job is called; the moves that are not here are steps in between.
NEWS: dict[tuple[Status, Status], WebhookEvent] = {
    (Status.QUEUED, Status.RUNNING): WebhookEvent.STARTED,
    (Status.RUNNING, Status.COMPLETED): WebhookEvent.COMPLETED,
    (Status.QUEUED, Status.FAILED): WebhookEvent.FAILED,  # put aside by staff
    (Status.RUNNING, Status.FAILED): WebhookEvent.FAILED,
    (Status.QUEUED, Status.CANCELLED): WebhookEvent.CANCELLED,
    (Status.RUNNING, Status.CANCELLED): WebhookEvent.CANCELLED,
    (Status.ARCHIVING, Status.ARCHIVED): WebhookEvent.ARCHIVED,
    (Status.RESTORING, Status.COMPLETED): WebhookEvent.RESTORED,
}


class OwnerBusy(Exception):
    """Another worker is calling a webhook of this owner, who has one worker at a time."""


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Webhooks, and the guarded updates by which a task takes one."""

    def on(self) -> "WebhookQuerySet":
        """Those that are called: neither paused nor switched off, of accounts that are open."""
        return self.filter(is_active=True, disabled_at=None, owner__is_active=True)

    def take(
        self, webhook_id: int, *, worker: str, lease: timedelta, early: timedelta
    ) -> "Webhook | None":
        """Lease a webhook to one worker; None when there is none, OwnerBusy when it must wait.

        `early` is how much too soon the message may come that it waits for.
        """
        with transaction.atomic():
            owners = User.objects.select_for_update(of=("self",)).filter(webhooks=webhook_id)
            owner = owners.first()
            if owner is None:
                return None
            if owner.webhooks.exclude(FREE).exists():
                raise OwnerBusy
            mine = self.filter(pk=webhook_id)
            mine.filter(wake_at__lte=Now() + early).update(wake_at=None)
            mine.update(lease_owner=worker, lease_until=Now() + lease, sent_at=None)
            return mine.get()


class Webhook(models.Model):
    """An address of one account that is called when its jobs move."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks"
    )
    url = models.CharField(max_length=500)
    secret = models.BinaryField(help_text="Sealed: we sign with it.")
    old_secret = models.BinaryField(null=True, help_text="The one before, which signs for a while.")
    old_secret_until = models.DateTimeField(null=True, blank=True)
    events = models.JSONField(help_text="What it is called for.")
    is_active = models.BooleanField(default=True, help_text="Off: its owner has paused it.")
    created_at = models.DateTimeField(db_default=Now())

    failures = models.PositiveIntegerField(default=0, help_text="Calls in a row that failed.")
    failing_since = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="The last that arrived.")
    disabled_at = models.DateTimeField(null=True, blank=True, help_text="Switched off by us.")
    disabled_reason = models.CharField(max_length=200, blank=True)

    lease_owner = models.CharField(max_length=120, blank=True, default="", db_default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(
        null=True, blank=True, help_text="It failed, and is not called before this."
    )
    sent_at = models.DateTimeField(
        null=True, blank=True, help_text="When the message was sent that is yet to be taken."
    )
    wake_at = models.DateTimeField(
        null=True, blank=True, help_text="When a message comes that waits for the next try."
    )

    objects = WebhookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                name="disabled_webhook_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None)
                | Q(failures__gt=0, failing_since__isnull=False),
                name="failing_webhook_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(old_secret__isnull=True, old_secret_until__isnull=True)
                | Q(old_secret__isnull=False, old_secret_until__isnull=False),
                name="old_secret_of_a_webhook_ends",
            ),
        ]
        indexes = [
            models.Index(
                fields=["old_secret_until"],
                condition=Q(old_secret_until__isnull=False),
                name="webhook_changing",
            ),
        ]

    def __str__(self) -> str:
        return f"webhook {self.pk}"  # its address may hold a secret

    @property
    def is_on(self) -> bool:
        """Whether it is called."""
        return self.is_active and self.disabled_at is None

    @property
    def sealed_secrets(self) -> list[bytes | memoryview]:
        """What calls are signed with, sealed, the newest first."""
        old = self.old_secret if self.is_changing else None
        return [self.secret] if old is None else [self.secret, old]

    @property
    def is_changing(self) -> bool:
        """Whether the secret before signs too."""
        return self.old_secret_until is not None and timezone.now() < self.old_secret_until

    def owe(self, event: WebhookEvent, *, job_id: int | None = None) -> "Delivery":
        """Owe it one call; inside the transaction of what it tells of."""
        delivery = self.deliveries.create(event=event, job_number=job_id)
        self.call_after_commit()
        return delivery

    def call_after_commit(self) -> None:
        """Let the message be sent that makes what is owed quick; the sweeper makes it certain."""
        after_commit(calls_owed.send, sender=Webhook, webhook_id=self.pk)

    def next_due(self) -> "Delivery | None":
        """The call that is due the longest; None while it rests or nothing is due."""
        rested = Q(webhook__rests_until=None) | Q(webhook__rests_until__lte=Now())
        due = self.deliveries.awaited().filter(rested, wake_at__lte=Now())
        return due.order_by("wake_at", "pk").first()

    def let_go(self) -> timedelta | None:
        """End our lease; returns until when the next call waits unless a message comes by then.

        Whoever owes a call holds no lock on this row, so that nobody waits for a receiver.
        """
        with transaction.atomic():
            mine: models.QuerySet[Webhook] = Webhook.objects.select_for_update().filter(pk=self.pk)
            row = mine.filter(held_by(self.lease_owner)).annotate(now=Now()).first()
            if row is None:
                return None
            mine.update(**LET_GO)
            wake = self.next_try()
            if wake is None or (row.wake_at and row.now < row.wake_at <= wake):
                return None
            mine.update(wake_at=wake)
            wait: timedelta = max(wake - row.now, timedelta(0))
            return wait

    def next_try(self) -> datetime | None:
        """When the next call may be made; None when none is owed."""
        when = Greatest("wake_at", Coalesce("webhook__rests_until", "wake_at"))
        waiting = self.deliveries.awaited().annotate(when=when).order_by("when")
        return waiting.values_list("when", flat=True).first()

    def switch_off(self, reason: str) -> bool:
        """Call it no more, owe it nothing, and its owner a mail; False when it was off already."""
        with transaction.atomic():
            mine = Webhook.objects.filter(pk=self.pk, disabled_at=None)
            if not mine.update(disabled_at=Now(), disabled_reason=reason):
                return False
            self.deliveries.owed().update(wake_at=None)
            Notice.objects.create(
                webhook=self, kind=Notice.Kind.UNHOOKED, attempt=self.notices.count() + 1
            )
            what = f"webhook {self.pk} was switched off: {reason}"
            AccountEvent.objects.create(account_id=self.owner_id, actor="deliver", what=what)
        return True


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Calls, and those that are still owed."""

    def owed(self) -> "DeliveryQuerySet":
        """Neither taken by the receiver nor given up."""
        return self.filter(wake_at__isnull=False)

    def awaited(self) -> "DeliveryQuerySet":
        """Owed to webhooks that are called."""
        return self.owed().filter(webhook__in=Webhook.objects.on())


class Delivery(models.Model):
    """One call of a webhook, owed from the moment that its job moved; made at least once."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(max_length=20, choices=WebhookEvent.choices)
    job_number = models.BigIntegerField(
        null=True, blank=True, help_text="The job, which may be deleted by now."
    )
    created_at = models.DateTimeField(db_default=Now())
    wake_at = models.DateTimeField(
        null=True, blank=True, db_default=Now(), help_text="When the next try is due; none is owed."
    )
    tries = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    answered = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status.")
    said = models.CharField(max_length=200, blank=True, help_text="How the answer begins.")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["webhook", "wake_at"],
                condition=Q(wake_at__isnull=False),
                name="delivery_owed",
            ),
            models.Index(fields=["webhook", "-id"], name="delivery_of_webhook"),
            models.Index(fields=["created_at"], name="delivery_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.message_id}"

    @property
    def is_owed(self) -> bool:
        """Whether it is yet to be tried, for the first time or again."""
        return self.wake_at is not None

    def record_taken(self, *, answered: int, said: str) -> None:
        """Write the receipt: it has arrived, and its webhook works."""
        with transaction.atomic():  # the webhook first, as by whoever pauses it
            Webhook.objects.filter(pk=self.webhook_id).update(
                delivered_at=Now(), failures=0, failing_since=None, rests_until=None
            )
            self._tried(answered, said, delivered_at=Now(), wake_at=None)

    def record_failed(
        self, *, answered: int | None, said: str, again_in: timedelta | None, rest: timedelta
    ) -> None:
        """Note what came of a try; the next is `again_in` from now, or never; the webhook rests."""
        with transaction.atomic():
            Webhook.objects.filter(pk=self.webhook_id).update(
                failures=F("failures") + 1,
                failing_since=Coalesce("failing_since", Now()),
                rests_until=Now() + rest,
            )
            self._tried(answered, said)
            wake_at = None if again_in is None else Now() + again_in
            Delivery.objects.owed().filter(pk=self.pk).update(wake_at=wake_at)

    def _tried(self, answered: int | None, said: str, **changes: object) -> None:
        Delivery.objects.filter(pk=self.pk).update(
            tries=F("tries") + 1, tried_at=Now(), answered=answered, said=said, **changes
        )


def owe_calls(job_id: int, before: Status, after: Status) -> None:
    """Owe every webhook of the job's owner a call about a move; inside the move's transaction."""
    if event := NEWS.get((before, after)):
        for webhook in Webhook.objects.on().filter(owner__jobs=job_id):
            if event in webhook.events:
                webhook.owe(event, job_id=job_id)
