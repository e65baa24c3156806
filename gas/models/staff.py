"""What staff must be told, and what the daily look at storage found."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from gas import metrics


class Alarm(models.Model):
    """Something that no machine can mend: written once however often it is found, mailed once."""

    about = models.CharField(max_length=300, unique=True, help_text="What makes it the same alarm.")
    text = models.TextField()
    job = models.ForeignKey(
        "gas.Job", on_delete=models.SET_NULL, null=True, blank=True, related_name="alarms"
    )
    raised_at = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(null=True, blank=True, help_text="When staff were mailed.")

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(told_at=None), name="alarm_untold"),
        ]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def raise_once(cls, about: str, text: str, *, job: "models.Model | None" = None) -> bool:
        """Tell staff unless they have been told of this; True when it is new."""
        _, new = cls.objects.get_or_create(about=about[:300], defaults={"text": text, "job": job})
        if new:
            metrics.count(metrics.ALARMS)
        return new


class StaffAct(models.Model):
    """What somebody of the staff did or tried, to what, and why; no row is ever changed."""

    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=150)
    act = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, help_text="What it was done to: job, account, queue.")
    number = models.CharField(max_length=100, help_text="Which one.")
    reason = models.TextField()
    done = models.BooleanField(help_text="Whether it was done, or refused.")
    outcome = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["kind", "number", "-id"], name="staff_act_about")]

    def __str__(self) -> str:
        return f"{self.words} {self.kind} {self.number}"

    @property
    def words(self) -> str:
        """What was done, as words and not as the name that is kept."""
        return self.act.replace("_", " ")

    @classmethod
    def record(
        cls,
        act: str,
        kind: str,
        number: str,
        *,
        actor: str,
        reason: str,
        outcome: str,
        done: bool = True,
    ) -> None:
        """Write down what somebody did or tried; inside the transaction of what was done."""
        cls.objects.create(
            actor=actor,
            act=act,
            kind=kind,
            number=number,
            reason=reason,
            done=done,
            outcome=outcome,
        )


class Reconciliation(models.Model):
    """One comparison of rows with what lies in storage, and what it did about the differences."""

    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    dry_run = models.BooleanField(default=False, help_text="Only looked.")
    counts = models.JSONField(default=dict, help_text="How many of each kind.")
    report = models.TextField(blank=True, help_text="The first differences, one a line.")

    def __str__(self) -> str:
        return f"reconciliation {self.pk}"
