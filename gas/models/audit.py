"""What happened to a job, and what its owner must be told about it."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from gas.models.leases import FREE


class JobEvent(models.Model):
    """One change of a job: who, when, from, to, why; written with the change, never edited."""

    job = models.ForeignKey("gas.Job", on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=150)  # a worker, or a user by name
    before = models.CharField(max_length=10, blank=True)
    after = models.CharField(max_length=10)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.before or 'new'} -> {self.after}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices, and the one guarded UPDATE by which a task takes one to send."""

    def unsent(self) -> "NoticeQuerySet":
        """Notices whose mail has no receipt yet."""
        return self.filter(sent_at=None)

    def take(self, *, lease: timedelta) -> "list[Notice]":
        """Lease every unsent notice of this set that nobody else is sending."""
        return [notice for notice in self.unsent() if notice.take(lease=lease)]


class Notice(models.Model):
    """One mail that is owed to a job's owner: written with the change, so that it cannot be lost.

    The mail is sent before its receipt is recorded, so it is sent at least once; a repeat is
    possible only when a worker dies between the two, and carries the same Message-ID.
    """

    class Kind(models.TextChoices):
        COMPLETED = "completed"
        FAILED = "failed"
        RESTORED = "restored"

    job = models.ForeignKey("gas.Job", on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    attempt = models.PositiveIntegerField(help_text="The attempt of the job that this is about.")
    created_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    told = models.JSONField(
        null=True, blank=True, help_text="What the mail says of things that change."
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "kind", "attempt"], name="one_mail_of_a_kind"),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(sent_at=None), name="notice_unsent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} mail of job {self.job_id}"

    def take(self, *, lease: timedelta) -> bool:
        """Lease this notice for one sender; False when another has it or it has been sent."""
        mine = Notice.objects.unsent().filter(FREE, pk=self.pk)
        return mine.update(lease_until=Now() + lease) == 1

    def fix(self, told: dict[str, Any]) -> None:
        """Fix what the mail says of things that change, before its first try."""
        Notice.objects.filter(pk=self.pk, told__isnull=True).update(told=told)
        self.refresh_from_db(fields=["told"])

    def let_go(self, *, wake_in: timedelta) -> None:
        """Give the notice back unsent; nobody takes it before `wake_in` is over."""
        Notice.objects.unsent().filter(pk=self.pk).update(lease_until=Now() + wake_in)

    def record_sent(self) -> None:
        """Write the receipt of the mail."""
        Notice.objects.filter(pk=self.pk).update(sent_at=Now(), lease_until=None)
