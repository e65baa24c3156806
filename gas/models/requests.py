"""What programs ask of the API: how often, and what was done already under which key."""

import time
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, floor

from django.conf import settings
from django.db import connection, models
from django.db.models.functions import Now

#: Seconds over which requests are counted; so many may come at once after a rest.
WINDOW = 60.0

#: Seconds after which an allowance that was not used tells nothing: all of it has come back.
UNUSED = 600

#: How long a key is remembered.
KEPT = timedelta(hours=48)

#: Rows of each kind that go at a time.
MOST = 5000

#: Take a request, by the clock of the database; it returns nothing when there is none left.
_TAKE = {
    "postgresql": """
        INSERT INTO gas_allowance AS mine (key, spent_until)
        VALUES (%s, EXTRACT(EPOCH FROM clock_timestamp()) + %s)
        ON CONFLICT (key) DO UPDATE SET spent_until =
            GREATEST(mine.spent_until, EXTRACT(EPOCH FROM clock_timestamp())) + %s
        WHERE mine.spent_until <= EXTRACT(EPOCH FROM clock_timestamp()) + %s
        RETURNING spent_until - EXTRACT(EPOCH FROM clock_timestamp())
    """,
    "sqlite": """
        INSERT INTO gas_allowance AS mine (key, spent_until)
        VALUES (%s, (julianday('now') - 2440587.5) * 86400.0 + %s)
        ON CONFLICT (key) DO UPDATE SET spent_until =
            MAX(mine.spent_until, (julianday('now') - 2440587.5) * 86400.0) + %s
        WHERE mine.spent_until <= (julianday('now') - 2440587.5) * 86400.0 + %s
        RETURNING spent_until - (julianday('now') - 2440587.5) * 86400.0
    """,
}


@dataclass(frozen=True)
class Taken:
    """What is left after a request, and seconds until all is; seconds to wait when refused."""

    limit: int
    remaining: int
    reset: int
    wait: int = 0

    @property
    def refused(self) -> bool:
        """Whether there was nothing left for it."""
        return self.wait > 0


class Allowance(models.Model):
    """Requests of one account, or failed tries of one address, by the generic cell rate algorithm.

    `spent_until` is when all that was taken has come back: a request moves it on by its share of
    the window, and is refused when it lies a window ahead. https://en.wikipedia.org/wiki/GCRA
    """

    key = models.CharField(max_length=100, primary_key=True)
    spent_until = models.FloatField(help_text="Seconds since 1970, by the database's clock.")

    class Meta:
        indexes = [models.Index(fields=["spent_until"], name="allowance_unused")]

    def __str__(self) -> str:
        return self.key

    @classmethod
    def take(cls, key: str, *, per_minute: int) -> Taken:
        """Take one request, in one statement that is safe however many processes send it."""
        share = WINDOW / per_minute
        with connection.cursor() as cursor:
            cursor.execute(_TAKE[connection.vendor], [key, share, share, WINDOW - share])
            row = cursor.fetchone()
        if row is None:  # it lies at most a share beyond what is allowed
            return Taken(per_minute, 0, ceil(WINDOW), wait=ceil(share))
        ahead = max(share, float(row[0]))
        return Taken(per_minute, max(0, floor((WINDOW - ahead) / share + 1e-6)), ceil(ahead))

    @classmethod
    def forget(cls) -> int:
        """Take away allowances that were not used for long; returns how many."""
        unused = cls.objects.filter(spent_until__lt=time.time() - UNUSED)
        keys = list(unused.order_by("spent_until").values_list("pk", flat=True)[:MOST])
        return unused.filter(pk__in=keys).delete()[0]


class IdempotencyKey(models.Model):
    """A request that made a job, under the name that its sender gave it, so that it makes one.

    Written in the transaction that makes the job; the number stays when the job is deleted.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="idempotency_keys"
    )
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64, help_text="Hexadecimal SHA-256 of what was asked.")
    job = models.ForeignKey(
        "gas.Job", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_request_of_a_key"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key

    @classmethod
    def forget(cls) -> int:
        """Take away keys whose time is over; returns how many."""
        over = cls.objects.filter(created_at__lt=Now() - KEPT).order_by("created_at")
        return cls.objects.filter(pk__in=list(over.values_list("pk", flat=True)[:MOST])).delete()[0]
