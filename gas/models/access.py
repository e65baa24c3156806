"""Ways into an account: browsers that are signed in, and tokens of programs."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class SignIn(models.Model):
    """A browser that is signed in, as long as its session lives."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins"
    )
    session_key = models.CharField(max_length=40, unique=True)
    browser = models.CharField(max_length=200, blank=True, help_text="As it calls itself.")
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"a browser of {self.user_id}"


class Scope(models.TextChoices):
    """What the bearer of a token may do."""

    READ = "jobs:read", "See jobs, and download their results"
    WRITE = "jobs:write", "Upload files, submit, re-run and cancel jobs"
    DELETE = "jobs:delete", "Delete jobs with their files"
    ACCOUNT = "account:read", "See the plan, the subscription, and the lists of tokens and webhooks"
    ACCOUNT_WRITE = "account:write", "Open the pages for paying, revoke tokens, and change webhooks"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens, and which of them still open anything."""

    def living(self) -> "ApiTokenQuerySet":
        """Tokens that are neither revoked nor over, of accounts that are open."""
        return self.filter(revoked_at=None, expires_at__gt=Now(), user__is_active=True)


class ApiToken(models.Model):
    """A program's way into an account; only its digest is kept, so it can be shown but once."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, help_text="Hexadecimal SHA-256 of the token.")
    scopes = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="one_token_of_a_digest"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="token_lives_for_a_while"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_living(self, now: datetime) -> bool:
        """Whether it opens anything at a moment."""
        return self.revoked_at is None and now < self.expires_at
