"""Maintenance: nothing new is taken for a while, what is there can be read, and work goes on."""

import math
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from gas.models import Maintenance, StaffAct, User
from gas.remembered import Remembered

#: Seconds for which a process remembers what it read, so that no page asks for it by itself.
KEPT = 2

#: Seconds after which a program should ask again when nobody knows the end.
RETRY_AFTER = 300

USUAL = "We are at work on the service."


class UnderMaintenance(Exception):
    """Nothing new is taken now: one sentence for whoever asked, and the seconds until it may be."""

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class MaintenanceRefused(Exception):
    """It cannot be set so; the message is one sentence for the operator."""


@dataclass(frozen=True)
class Notice:
    """What every page tells: a maintenance that is on, or that will begin."""

    message: str
    begins_at: datetime | None
    ends_at: datetime | None

    def is_on(self, now: datetime) -> bool:
        """Whether nothing new is taken at a moment."""
        has_begun = self.begins_at is None or self.begins_at <= now
        return has_begun and (self.ends_at is None or now < self.ends_at)

    def retry_after(self, now: datetime) -> int:
        """Seconds until a program should ask again."""
        if self.ends_at is None:
            return RETRY_AFTER
        return max(1, math.ceil((self.ends_at - now).total_seconds()))


def notice() -> Notice | None:
    """What is on or announced, as of a moment ago; the setting goes before the row."""
    if settings.MAINTENANCE:
        return Notice(settings.MAINTENANCE, None, None)
    return LATELY.value()


def _read() -> Notice | None:
    row = _current().first()
    return Notice(row.message, row.begins_at, row.ends_at) if row else None


LATELY = Remembered("maintenance", KEPT, _read)


def _current() -> QuerySet[Maintenance]:
    """What is on or announced; of several the first to begin."""
    lasting = Q(ends_at=None) | Q(ends_at__gt=Now())
    return Maintenance.objects.filter(lasting, called_off_at=None).order_by("begins_at", "pk")


def current() -> Notice | None:
    """What is on at this moment, if anything is."""
    found = notice()
    return found if found and found.is_on(timezone.now()) else None


def admit(user: User) -> None:
    """Let somebody hand in something new; raises UnderMaintenance. Staff may, to try things out."""
    found = current()
    if found and not user.is_staff:
        until = f" until {found.ends_at:%-d %b, %H:%M} UTC" if found.ends_at else ""
        goes_on = "what is here can be read, and jobs go on"
        told = f"{found.message} Nothing new is taken{until}; {goes_on}."
        raise UnderMaintenance(told, found.retry_after(timezone.now()))


def begin(
    *,
    actor: str,
    message: str = "",
    begins_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Maintenance:
    """Take nothing new from now on, or from a moment to come; it replaces what was set before.

    With an end it ends by itself. Raises MaintenanceRefused for an end that is no end.
    """
    start = begins_at or timezone.now()
    if ends_at is not None and ends_at <= max(start, timezone.now()):
        raise MaintenanceRefused("Maintenance must end after it begins, and not in the past.")
    with transaction.atomic():
        _current().update(called_off_at=Now(), called_off_by=actor)
        row = Maintenance.objects.create(
            message=_sentence(message), begins_at=start, ends_at=ends_at, begun_by=actor
        )
        until = f" until {ends_at:%F %R} UTC" if ends_at else ""
        outcome = f"from {start:%F %R} UTC{until}"
        StaffAct.record(
            "begin maintenance", "site", "", actor=actor, reason=row.message, outcome=outcome
        )
    forget()
    return row


def _sentence(message: str) -> str:
    """What people are told, as one line that ends like a sentence."""
    told = " ".join(message.split()) or USUAL
    return told if told[-1] in ".!?" else f"{told}."


def end(*, actor: str) -> bool:
    """Take everything again, and call off what was announced; False when there was nothing."""
    with transaction.atomic():
        ended = _current().update(called_off_at=Now(), called_off_by=actor)
        if ended:
            told = "everything is taken"
            StaffAct.record("end maintenance", "site", "", actor=actor, reason="", outcome=told)
    forget()
    return bool(ended)


def forget() -> None:
    """Read the row anew at the next question."""
    LATELY.forget()
