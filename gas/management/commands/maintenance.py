"""`manage.py maintenance`: take nothing new for a while, or everything again."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from gas.services import maintenance

ACTOR = "manage.py maintenance"


class Command(BaseCommand):
    """Switch maintenance on or off, or tell how it stands."""

    help = "Take nothing new for a while (on), or everything again (off); without either: tell."

    def add_arguments(self, parser: CommandParser) -> None:
        """On or off, what people are told, and from when until when."""
        parser.add_argument("switch", nargs="?", choices=["on", "off"])
        parser.add_argument("--message", default="", help="what people are told")
        moment = "HH:MM (UTC, the next one) or a date and time such as 2030-01-31T14:00"
        parser.add_argument("--from", dest="begins_at", help=f"when it begins: {moment}")
        parser.add_argument("--until", dest="ends_at", help=f"when it ends by itself: {moment}")

    def handle(
        self,
        *args: Any,
        switch: str | None,
        message: str,
        begins_at: str | None,
        ends_at: str | None,
        **options: Any,
    ) -> None:
        """Do it, and print how it stands then."""
        try:
            if switch == "on":
                begins = moment(begins_at, after=timezone.now())
                ends = moment(ends_at, after=begins or timezone.now())
                maintenance.begin(actor=ACTOR, message=message, begins_at=begins, ends_at=ends)
            elif switch == "off":
                maintenance.end(actor=ACTOR)
        except maintenance.MaintenanceRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(_standing())


def moment(text: str | None, *, after: datetime) -> datetime | None:
    """Read a time of day, the next after a moment, or a date and time; UTC unless it says."""
    if text is None:
        return None
    try:
        if len(text) <= len("HH:MM"):
            day = datetime.combine(after.astimezone(UTC), time.fromisoformat(text), UTC)
            return day if day > after else day + timedelta(days=1)
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is no time such as 14:00 or 2030-01-31T14:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _standing() -> str:
    notice = maintenance.notice()
    if notice is None:
        return "everything is taken"
    state = "on" if notice.is_on(timezone.now()) else f"from {notice.begins_at:%F %R} UTC"
    until = f" until {notice.ends_at:%F %R} UTC" if notice.ends_at else ""
    return f"maintenance {state}{until}: {notice.message}"
