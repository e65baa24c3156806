"""`manage.py drain`: empty this machine when its group or EC2 takes it away."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from celeryconfig import QUEUES
from gas.drain.agent import Agent
from gas.drain.metadata import Metadata


class Command(BaseCommand):
    """Watch for the end of this machine, until it ends."""

    help = "Watch for the end of this machine, and end its workers in time: one runs on each."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run without end."""
        if settings.RUN_FOLDER is None:
            raise CommandError("GAS_RUN_FOLDER must be set, for this command and for the workers.")
        longest = max(queue.time_limit for queue in QUEUES.values()).total_seconds()
        source = Metadata(settings.METADATA_URL)
        Agent(source, settings.RUN_FOLDER, settings.DRAIN_HOOK, longest).run()
