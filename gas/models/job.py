"""The job: where it is, who holds it, what it came from and what it made."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from gas.logs import context
from gas.models.audit import JobEvent, Notice
from gas.models.claims import AT_REST, RELEASED, UNTOLD, WELL, JobQuerySet, LeaseLost
from gas.models.files import ResultFile, Upload
from gas.models.search import folded
from gas.models.staff import Alarm
from gas.models.status import CLAIMED_FROM, IN_FLIGHT, Failure, Status


class Job(models.Model):
    """One VCF to annotate, from the queue to the archive and back."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs")
    upload = models.ForeignKey(Upload, models.RESTRICT, related_name="jobs")
    name = models.CharField(max_length=200)
    bundle = models.CharField(max_length=100, help_text="Id of the reference bundle.")
    notes = models.TextField(
        blank=True, max_length=2000, help_text="What the owner wants to remember of it."
    )

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    wake_at = models.DateTimeField(
        null=True, blank=True, db_default=Now(), help_text="When the next step is due."
    )
    sent_at = models.DateTimeField(null=True, blank=True, help_text="Last message sent for it.")
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0, help_text="Fencing number, one per claim.")
    setbacks = models.PositiveIntegerField(
        default=0, help_text="Times this step broke down on our side."
    )
    trouble = models.TextField(blank=True, help_text="What staff must mend for it to go on.")
    troubled_at = models.DateTimeField(null=True, blank=True, help_text="Since when.")

    stage = models.CharField(
        max_length=20, blank=True, help_text="What the annotator is at; empty when it does not run."
    )
    percent = models.PositiveSmallIntegerField(default=0, help_text="How far it is.")
    stages = models.JSONField(
        default=list, blank=True, editable=False, help_text="What it has been at, and since when."
    )

    failure = models.TextField(blank=True)
    failure_kind = models.CharField(max_length=10, choices=Failure.choices, blank=True)
    thaw_tier = models.CharField(
        max_length=20, blank=True, help_text="Staff ask it back at this tier, whatever the plan."
    )
    result_prefix = models.CharField(max_length=100, blank=True)
    variants = models.BigIntegerField(null=True, blank=True, help_text="Records in the input.")
    search_text = models.TextField(
        blank=True, editable=False, help_text="Name and file name, as they are looked for."
    )
    correlation = models.CharField(
        max_length=32, blank=True, editable=False, help_text="What its lines in the log bear."
    )
    created_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["owner", "-id"], name="job_of_owner"),
            models.Index(fields=["owner", "status", "-id"], name="job_of_owner_in_state"),
            models.Index(fields=["owner", "created_at", "id"], name="job_of_owner_by_date"),
            models.Index(fields=["status", "-id"], name="job_in_state"),
            models.Index(fields=["wake_at"], condition=~Q(wake_at=None), name="job_due"),
            models.Index(
                fields=["status", "wake_at"], condition=~Q(wake_at=None), name="job_due_in_state"
            ),
            models.Index(fields=["lease_until"], condition=~Q(lease_until=None), name="job_leased"),
            models.Index(fields=["-id"], condition=~Q(trouble=""), name="job_in_trouble"),
            models.Index(fields=["created_at"], name="job_by_date"),
            models.Index(
                fields=["failure_kind", "-id"], condition=~Q(failure_kind=""), name="job_by_failure"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in Status]), name="known_status"
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | ~Q(failure=""), name="failed_needs_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(status="completed")
                | (~Q(result_prefix="") & Q(completed_at__isnull=False)),
                name="completed_needs_results",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["archived", "thawing", "restoring"])
                | Q(archived_at__isnull=False),
                name="archived_needs_receipts",
            ),
            models.CheckConstraint(
                condition=Q(lease_until=None) | Q(status__in=[s.value for s in CLAIMED_FROM]),
                name="only_work_in_flight_is_leased",
            ),
            models.CheckConstraint(
                condition=Q(stage="", percent=0) | Q(status="running", percent__lte=100),
                name="only_running_jobs_are_told_of",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; a new one with the words and the id of the log by which it is found."""
        if self._state.adding:
            self.correlation = self.correlation or context.correlation() or context.new()
            self.search_text = folded(f"{self.name}\n{self.upload.filename}")
        super().save(*args, **kwargs)

    @property
    def state(self) -> Status:
        """The status as a member of the enumeration."""
        return Status(self.status)

    @property
    def is_at_rest(self) -> bool:
        """Whether the page may stop asking: nothing will change without a person or a timer."""
        return self.is_stalled or self.state not in IN_FLIGHT | {Status.QUEUED}

    @property
    def is_stalled(self) -> bool:
        """Whether it rests in the middle of a step until staff have mended what is wrong."""
        return bool(self.trouble) and self.state in IN_FLIGHT and self.wake_at is None

    def _mine(self) -> JobQuerySet:
        """This job, as long as this claim of it is the newest and not given up (fencing)."""
        return Job.objects.exclude(lease_until=None).filter(
            pk=self.pk, status=self.status, attempt=self.attempt, lease_owner=self.lease_owner
        )

    def advance(self, after: Status, *, reason: str = "", **changes: Any) -> None:
        """Move on, give up the lease and write the event; LeaseLost when the claim is stale."""
        settled = {**AT_REST, "setbacks": 0, **WELL}
        moved = self._mine().move(
            self.pk,
            self.state,
            after,
            actor=self.lease_owner,
            reason=reason,
            **settled | changes,
        )
        if not moved:
            raise LeaseLost(f"job {self.pk} is no longer held by {self.lease_owner}")
        self.refresh_from_db()

    def renew(self, lease: timedelta) -> None:
        """Hold the job for another lease from now; LeaseLost when the claim is stale."""
        if not self._mine().update(lease_until=Now() + lease):
            raise LeaseLost(f"job {self.pk} is no longer held by {self.lease_owner}")

    def tell(self, stage: str, percent: int) -> None:
        """Say how far the annotator is, for the page; LeaseLost when the claim is stale."""
        last = self.stages[-1][0] if self.stages else ""
        new = [] if stage == last else [[stage, timezone.now().isoformat()]]
        stages = [*self.stages, *new]
        if not self._mine().update(stage=stage, percent=percent, stages=stages):
            raise LeaseLost(f"job {self.pk} is no longer held by {self.lease_owner}")
        self.stages = stages

    def let_go(
        self, *, wake_in: timedelta, setbacks: int = 0, trouble: str = "", **changes: Any
    ) -> None:
        """Give up the lease but stay in this state, due again after `wake_in`.

        `setbacks` is the weight of a breakdown on our side, `trouble` what staff should look at.
        LeaseLost when the claim is stale.
        """
        in_trouble = {"trouble": trouble, "troubled_at": Coalesce("troubled_at", Now())}
        released = self._mine().update(
            **{
                **RELEASED,
                "wake_at": Now() + wake_in,
                "setbacks": F("setbacks") + setbacks,
                **(in_trouble if trouble else WELL),
                **UNTOLD,
                **changes,
            }
        )
        if not released:
            raise LeaseLost(f"job {self.pk} is no longer held by {self.lease_owner}")

    def stall(self, trouble: str) -> None:
        """Rest where it is: nothing is lost, and nothing is tried until staff say `mended`.

        LeaseLost when the claim is stale.
        """
        with transaction.atomic():
            self.let_go(wake_in=timedelta(0), trouble=trouble, wake_at=None, sent_at=None)
            JobEvent.objects.create(
                job=self,
                actor=self.lease_owner,
                before=self.status,
                after=self.status,
                reason=f"stalled: {trouble}",
            )
            Alarm.raise_once(
                f"job {self.pk}, attempt {self.attempt}",
                f"Job {self.pk} is stuck in {self.status}: {trouble}",
                job=self,
            )

    def record_results(self, files: list[ResultFile]) -> None:
        """Replace the result set; inside the transaction that completes the job."""
        self.files.all().delete()
        ResultFile.objects.bulk_create(files)

    def owe(self, kind: Notice.Kind) -> None:
        """Owe the owner a mail about this attempt; inside the transaction of the change."""
        owed = Notice(job=self, kind=kind, attempt=self.attempt)
        Notice.objects.bulk_create([owed], ignore_conflicts=True)

    @property
    def prefix(self) -> str:
        """Where all attempts write results, each under its number."""
        return f"results/{self.pk}/"

    @property
    def fresh_prefix(self) -> str:
        """Where this attempt writes results; no other attempt ever writes there."""
        return f"{self.prefix}{self.attempt}/"

    @property
    def due_at(self) -> datetime | None:
        """When the results move to the archive, for the countdown on the page."""
        return self.wake_at if self.state is Status.COMPLETED else None
