"""Who uses the service, on which plan, and what they pay for."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone


class Plan(models.Model):
    """What an account may do; a row, so that staff change limits without a release."""

    FREE = "free"
    PREMIUM = "premium"

    name = models.CharField(max_length=20, primary_key=True)
    max_upload_bytes = models.BigIntegerField(help_text="Largest input file, in bytes.")
    max_active_jobs = models.PositiveIntegerField(help_text="Jobs queued or running at once.")
    max_running_jobs = models.PositiveIntegerField(
        default=2, help_text="Of these, the jobs that workers are given at once."
    )
    max_stored_bytes = models.BigIntegerField(
        default=20 * 1024**3, help_text="Inputs and results at hand, in bytes."
    )
    max_jobs_a_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Jobs submitted in one day (UTC); empty: any number."
    )
    requests_per_minute = models.PositiveIntegerField(
        default=120,
        validators=[MinValueValidator(1)],
        help_text="Requests to the API, with all tokens of an account together.",
    )
    archives = models.BooleanField(
        help_text="Results move to the archive some time after completion."
    )

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Limits:
    """How much an account may do: what staff set for it alone, else what its plan says."""

    max_upload_bytes: int
    max_active_jobs: int
    max_running_jobs: int
    max_stored_bytes: int
    max_jobs_a_day: int | None  # None: any number


class User(AbstractUser):
    """An account; `username` is the Globus `sub`, `email` is for contact only."""

    #: The columns that stand before the plan's limits, each named after the one it replaces.
    OWN = {name: f"own_{name}" for name in Limits.__dataclass_fields__}

    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, default=Plan.FREE, related_name="users"
    )
    turn_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a job of theirs last began."
    )
    left_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When its owner had it deleted; what is left of it goes soon.",
    )
    own_max_upload_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    own_max_active_jobs = models.PositiveIntegerField(null=True, blank=True)
    own_max_running_jobs = models.PositiveIntegerField(null=True, blank=True)
    own_max_stored_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    own_max_jobs_a_day = models.PositiveIntegerField(null=True, blank=True)
    counted_on = models.DateField(
        null=True, blank=True, editable=False, help_text="The day (UTC) whose jobs are counted."
    )
    counted_jobs = models.PositiveIntegerField(
        default=0, editable=False, help_text="Jobs submitted that day, deleted ones too."
    )

    class Meta:
        verbose_name = "user"
        verbose_name_plural = "users"
        permissions = [("act_as_staff", "May act on accounts and jobs, not only look")]
        indexes = [
            models.Index(fields=["left_at"], condition=~Q(left_at=None), name="account_left"),
        ]

    @property
    def display_name(self) -> str:
        """The name to greet with: the full name, else the mail address, else the identity."""
        return self.get_full_name() or self.email or self.username

    @property
    def is_premium(self) -> bool:
        """Whether results of this account stay at hand."""
        return self.plan_id == Plan.PREMIUM

    @property
    def limits(self) -> Limits:
        """How much this account may do."""
        own = {name: getattr(self, column) for name, column in self.OWN.items()}
        return Limits(
            **{
                name: getattr(self.plan, name) if value is None else value
                for name, value in own.items()
            }
        )

    @property
    def jobs_today(self) -> int:
        """Jobs submitted since midnight (UTC), whatever became of them."""
        return self.counted_jobs if self.counted_on == timezone.now().date() else 0

    @property
    def retention(self) -> timedelta | None:
        """How long results stay at hand after completion; None is for ever."""
        return settings.FREE_RETENTION if self.plan.archives else None


class Subscription(models.Model):
    """A paid period of one account, as the payment provider told it."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        ENDED = "ended"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="subscriptions")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    customer_id = models.CharField(max_length=100)
    provider_id = models.CharField(max_length=100)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    unpaid_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when the provider tries a card in vain."
    )
    changes = models.PositiveIntegerField(
        default=0, help_text="Times that it began, ended or went unpaid: tells its mails apart."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(status="active"), name="one_active_subscription"
            ),
            models.UniqueConstraint(fields=["provider_id"], name="subscription_known_once"),
            models.CheckConstraint(
                condition=Q(status="active", ended_at=None)
                | Q(status="ended", ended_at__isnull=False),
                name="ended_subscription_has_a_date",
            ),
        ]
        indexes = [models.Index(fields=["customer_id"], name="subscription_of_customer")]

    def __str__(self) -> str:
        return f"{self.provider_id} ({self.status})"


class Grant(models.Model):
    """Premium for a while that staff gave, beside whatever the account's owner pays for."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    until = models.DateTimeField()
    reason = models.TextField()
    given_by = models.CharField(max_length=150)
    given_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at=None), name="one_grant_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(until__gt=F("given_at")), name="grant_lasts_for_a_while"
            ),
        ]
        indexes = [
            models.Index(fields=["until"], condition=Q(ended_at=None), name="grant_to_end"),
        ]

    def __str__(self) -> str:
        return f"premium until {self.until:%Y-%m-%d}"


class BillingEvent(models.Model):
    """The receipt of one verified event of the payment provider; its id makes repeats harmless."""

    event_id = models.CharField(max_length=100, primary_key=True)
    kind = models.CharField(max_length=100)
    subscription = models.CharField(
        max_length=100, blank=True, help_text="The provider's id of what it tells of."
    )
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["-received_at"], name="billing_event_by_date"),
            models.Index(
                fields=["subscription"], condition=~Q(subscription=""), name="billing_event_about"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class GlobusToken(models.Model):
    """The tokens of one account for one Globus resource server, encrypted at rest."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="globus_tokens")
    resource_server = models.CharField(max_length=200)
    scope = models.TextField()
    access_token = models.BinaryField()
    refresh_token = models.BinaryField(blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "resource_server"], name="one_token_per_resource_server"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource_server} for {self.user_id}"
