"""`manage.py redrive`: put dead letters back into their queues."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from celeryconfig import QUEUES
from gas.services import upkeep
from gas.storage.errors import StorageError


class Command(BaseCommand):
    """Redrive the dead letters of one queue or of all."""

    help = "Put the messages of dead-letter queues back into their queues."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the queue."""
        parser.add_argument("--queue", choices=list(QUEUES), help="only this one")
        parser.add_argument("--dry-run", action="store_true", help="only count the messages")

    def handle(self, *args: Any, queue: str | None, dry_run: bool, **options: Any) -> None:
        """Print a line for each queue."""
        try:
            waiting = upkeep.dead_letters()
            for name in [queue] if queue else QUEUES:
                self.stdout.write(_line(name, waiting[name], dry_run=dry_run))
        except StorageError as error:
            raise CommandError(f"SQS cannot be reached: {error}") from error


def _line(name: str, waiting: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"{name}: {waiting} dead letters"
    moved = upkeep.redrive(queue=QUEUES[name], actor="manage.py redrive")
    return f"{name}: {moved} messages moved"
