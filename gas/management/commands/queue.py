"""`manage.py queue`: pause or resume a queue, redrive or purge its dead letters."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from celeryconfig import QUEUES
from gas.services.staff import queues
from gas.services.staff.acts import ActRefused
from gas.storage.errors import StorageError

VERBS = {
    "pause": queues.pause,
    "resume": queues.resume,
    "redrive": queues.redrive,
    "purge": queues.purge,
}

CHOICES = f"Name one act of {', '.join(VERBS)}, and one queue of {', '.join(QUEUES)}."


class Command(BaseCommand):
    """Do to one queue what the operators' page does."""

    help = "Pause or resume a queue, redrive or purge its dead letters; who and why is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, to which queue, who, and why."""
        parser.add_argument("act", nargs="?", default="", help=f"one of {', '.join(VERBS)}")
        parser.add_argument("queue", nargs="?", default="", help=f"one of {', '.join(QUEUES)}")
        parser.add_argument("--reason", default="", help="why; it is written down for good")
        parser.add_argument("--by", default="manage.py queue", help="who; it is written down too")

    def handle(
        self, *args: Any, act: str, queue: str, reason: str, by: str, **options: Any
    ) -> None:
        """Do it, and print what was done."""
        if act not in VERBS or not queue:
            raise CommandError(CHOICES)
        try:
            on = queues.queue_named(queue)
            self.stdout.write(VERBS[act](queue=on, actor=by, reason=reason))
        except ActRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except StorageError as error:
            raise CommandError(f"SQS cannot be reached: {error}") from error
