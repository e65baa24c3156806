"""`manage.py redrive`: put dead letters back into their queues."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import pluralize

from celeryconfig import QUEUES, Queue
from gas.services import upkeep
from gas.services.staff.acts import ActRefused
from gas.services.staff.queues import queue_named
from gas.storage.errors import StorageError


class Command(BaseCommand):
    """Redrive the dead letters of one queue or of all."""

    help = "Put the messages of dead-letter queues back into their queues."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the queue."""
        parser.add_argument("--queue", help=f"only this one of {', '.join(QUEUES)}")
        parser.add_argument("--dry-run", action="store_true", help="only count the messages")

    def handle(self, *args: Any, queue: str | None, dry_run: bool, **options: Any) -> None:
        """Print a line for each queue."""
        try:
            chosen = [queue_named(queue)] if queue else list(QUEUES.values())
            waiting = upkeep.dead_letters()
            for each in chosen:
                self.stdout.write(_line(each, waiting[each.name], dry_run=dry_run))
        except ActRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except StorageError as error:
            raise CommandError(f"SQS cannot be reached: {error}") from error


def _line(queue: Queue, waiting: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"{queue.name}: {waiting} dead letter{pluralize(waiting)}"
    moved = upkeep.redrive(queue=queue, actor="manage.py redrive")
    return f"{queue.name}: {moved} message{pluralize(moved)} moved"
