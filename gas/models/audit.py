"""What happened to jobs and accounts, and what people must be told about it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from gas.models.account import User
from gas.models.leases import FREE, LET_GO, held_by

#: The events by which the work on a job ends, one way or another.
ENDS = Q(before="running", after="completed") | Q(after__in=("failed", "cancelled"))


class JobEvent(models.Model):
    """One change of a job: who, when, from, to, why; written with the change, never edited."""

    #: They go after their job, in one transaction with it: as long as it is there, they stay.
    job = models.ForeignKey(
        "gas.Job", on_delete=models.DO_NOTHING, db_constraint=False, related_name="events"
    )
    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=150)  # a worker, or a user by name
    before = models.CharField(max_length=10, blank=True)
    after = models.CharField(max_length=10)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["-id"],
                condition=Q(before="running", after="completed"),
                name="event_annotated",
            ),
            models.Index(fields=["at"], condition=ENDS, name="event_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.before or 'new'} -> {self.after}"


class AccountEvent(models.Model):
    """One change of an account by its owner; it stays, by number alone, when the account goes."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="events",
    )
    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=150)
    what = models.TextField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.what


class Topic(models.TextChoices):
    """What a mail is about, as far as its receiver may choose."""

    COMPLETED = "completed", "Results are ready"
    FAILED = "failed", "A job failed"
    ARCHIVE_SOON = "archive-soon", "Results move to the archive soon"
    RESTORED = "restored", "Results are back from the archive"
    SUBSCRIPTION = "subscription", "Subscription and payments"
    WEBHOOK = "webhook", "A webhook is switched off"


class DeclinedTopic(models.Model):
    """Mails about this are not sent to this account."""

    #: Sets the signatures of links that decline mails apart from all others of the site.
    SALT = "decline-mails"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="declined_topics"
    )
    topic = models.CharField(max_length=20, choices=Topic.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "topic"], name="topic_declined_once"),
        ]

    def __str__(self) -> str:
        return f"no mails about {self.topic} for {self.user_id}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices, and the one guarded UPDATE by which a task takes one to send."""

    def unsent(self) -> "NoticeQuerySet":
        """Notices whose mail has no receipt yet."""
        return self.filter(sent_at=None)

    def take(self, *, worker: str, lease: timedelta) -> "Iterator[Notice]":
        """Lease each unsent notice of this set that nobody else is sending, when its turn comes."""
        return (notice for notice in self.unsent() if notice.take(worker=worker, lease=lease))


class Notice(models.Model):
    """One mail that is owed, about a job, a subscription or a webhook: written with the change.

    The mail is sent before its receipt is recorded, so it is sent at least once; a repeat is
    possible only when a worker dies between the two, and carries the same Message-ID.
    """

    class Kind(models.TextChoices):
        COMPLETED = "completed"
        FAILED = "failed"
        RESTORED = "restored"
        LAST_CALL = "last call"
        SUBSCRIBED = "subscribed"
        UNPAID = "unpaid"
        ENDED = "ended"
        UNHOOKED = "unhooked"

    TOPICS = {
        Kind.COMPLETED: Topic.COMPLETED,
        Kind.FAILED: Topic.FAILED,
        Kind.RESTORED: Topic.RESTORED,
        Kind.LAST_CALL: Topic.ARCHIVE_SOON,
        Kind.SUBSCRIBED: Topic.SUBSCRIPTION,
        Kind.UNPAID: Topic.SUBSCRIPTION,
        Kind.ENDED: Topic.SUBSCRIPTION,
        Kind.UNHOOKED: Topic.WEBHOOK,
    }

    job = models.ForeignKey("gas.Job", on_delete=models.CASCADE, null=True, related_name="notices")
    subscription = models.ForeignKey(
        "gas.Subscription", on_delete=models.CASCADE, null=True, related_name="notices"
    )
    webhook = models.ForeignKey(
        "gas.Webhook", on_delete=models.CASCADE, null=True, related_name="notices"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    attempt = models.PositiveIntegerField(
        help_text="The attempt of the job, or how often this has happened to the other."
    )
    created_at = models.DateTimeField(db_default=Now())
    lease_owner = models.CharField(max_length=120, blank=True, default="", db_default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    told = models.JSONField(
        null=True, blank=True, help_text="What the mail says of things that change."
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "kind", "attempt"], name="one_mail_of_a_kind"),
            models.UniqueConstraint(
                fields=["subscription", "kind", "attempt"], name="one_subscription_mail_of_a_kind"
            ),
            models.UniqueConstraint(
                fields=["webhook", "kind", "attempt"], name="one_webhook_mail_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(job__isnull=False, subscription=None, webhook=None)
                | Q(job=None, subscription__isnull=False, webhook=None)
                | Q(job=None, subscription=None, webhook__isnull=False),
                name="a_mail_is_about_one_thing",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(sent_at=None), name="notice_unsent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} mail of {self.subject.replace('-', ' ')}"

    @property
    def subject(self) -> str:
        """What it is about, as a name that no other thing bears."""
        if self.webhook_id:
            return f"webhook-{self.webhook_id}"
        return f"job-{self.job_id}" if self.job_id else f"subscription-{self.subscription_id}"

    @property
    def topic(self) -> Topic:
        """What its receiver may decline it by."""
        return self.TOPICS[self.Kind(self.kind)]

    @property
    def receiver(self) -> User:
        """Whom it is owed to."""
        if self.subscription:
            return self.subscription.user
        if self.webhook:
            return self.webhook.owner
        if self.job is None:
            raise ValueError("a mail is about one thing")
        return self.job.owner

    def take(self, *, worker: str, lease: timedelta) -> bool:
        """Lease this notice for one sender; False when another has it or it has been sent."""
        mine = Notice.objects.unsent().filter(FREE, pk=self.pk)
        taken = mine.update(lease_owner=worker, lease_until=Now() + lease) == 1
        self.lease_owner = worker if taken else ""
        return taken

    def fix(self, told: dict[str, Any]) -> None:
        """Fix what the mail says of things that change, before its first try."""
        Notice.objects.filter(pk=self.pk, told__isnull=True).update(told=told)
        self.refresh_from_db(fields=["told"])

    def let_go(self, *, wake_in: timedelta) -> None:
        """Give the notice back unsent; nobody takes it before `wake_in` is over.

        Unless somebody has taken it over, who may be sending it now.
        """
        mine = Notice.objects.unsent().filter(held_by(self.lease_owner), pk=self.pk)
        mine.update(lease_owner="", lease_until=Now() + wake_in)

    def record_sent(self) -> None:
        """Write the receipt of the mail."""
        Notice.objects.filter(pk=self.pk).update(sent_at=Now(), **LET_GO)
