"""What operators see and set: workers, queues, their history, maintenance, and who uses what."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Worker(models.Model):
    """One worker process, which tells every few seconds that it lives; it goes when that ends."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, help_text="As Celery calls it: annotate@host.")
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    release = models.CharField(max_length=100, help_text="Version and commit of the program.")
    queues = models.JSONField(default=list)
    processes = models.PositiveIntegerField(help_text="Tasks that it runs at once.")
    memory_mb = models.PositiveIntegerField(default=0, help_text="Of it and all its children.")
    running = models.JSONField(default=list, help_text="Task, job and since when, of each.")
    resting = models.JSONField(default=list, help_text="Queues that it takes nothing from now.")
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["seen_at"], name="worker_last_seen")]

    def __str__(self) -> str:
        return self.name


class QueueState(models.Model):
    """One queue: whether it is paused, and how deep it was when somebody last asked SQS."""

    name = models.CharField(max_length=40, primary_key=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=150, blank=True)
    pause_reason = models.TextField(blank=True)
    visible = models.PositiveIntegerField(null=True, help_text="Messages that may be received.")
    in_flight = models.PositiveIntegerField(null=True, help_text="Received and not yet deleted.")
    delayed = models.PositiveIntegerField(null=True, help_text="Whose timer still runs.")
    dead = models.PositiveIntegerField(null=True, help_text="In its dead-letter queue.")
    asked_at = models.DateTimeField(null=True, help_text="When somebody last set out to ask SQS.")
    read_at = models.DateTimeField(null=True, help_text="When SQS last answered.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(paused_at=None, paused_by="", pause_reason="")
                | Q(paused_at__isnull=False) & ~Q(paused_by=""),
                name="a_pause_is_somebodys",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Sample(models.Model):
    """What one minute was like: the depth of each queue, and what the sweep found."""

    at = models.DateTimeField(unique=True, help_text="The minute.")
    queues = models.JSONField(default=dict, help_text="Visible, in flight, delayed, dead of each.")
    swept = models.JSONField(default=dict, help_text="How many of each kind; none on a good day.")

    def __str__(self) -> str:
        return f"{self.at:%F %R}"


class Maintenance(models.Model):
    """A time in which nothing new is taken, announced ahead if it begins later; rows stay."""

    message = models.TextField(help_text="What people are told.")
    begins_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField(null=True, blank=True, help_text="When it ends by itself.")
    begun_by = models.CharField(max_length=150)
    called_off_at = models.DateTimeField(null=True, blank=True)
    called_off_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("begins_at")),
                name="maintenance_lasts_a_while",
            ),
        ]

    def __str__(self) -> str:
        return self.message

    def is_on(self, now: datetime) -> bool:
        """Whether nothing new is taken at a moment."""
        return self.begins_at <= now and (self.ends_at is None or now < self.ends_at)


class Usage(models.Model):
    """What one account keeps, and what that costs; counted anew from time to time."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="usage"
    )
    jobs = models.PositiveIntegerField(default=0)
    input_bytes = models.BigIntegerField(default=0)
    result_bytes = models.BigIntegerField(default=0, help_text="At hand.")
    archived_bytes = models.BigIntegerField(default=0)
    archived_files = models.PositiveIntegerField(default=0)
    monthly_microdollars = models.BigIntegerField(default=0, help_text="Storage of 30 days.")
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["-monthly_microdollars"], name="usage_dearest"),
            models.Index(fields=["counted_at"], name="usage_oldest"),
        ]

    def __str__(self) -> str:
        return f"usage of {self.user_id}"

    @property
    def monthly_dollars(self) -> float:
        """What keeping it costs in 30 days."""
        return self.monthly_microdollars / 1_000_000
