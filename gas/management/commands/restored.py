"""`manage.py restored`: to be run once after the database was put back to an earlier moment."""

from typing import Any

from django.core.management.base import BaseCommand

from gas.services import recovery


class Command(BaseCommand):
    """Make a restored database safe to work with, and print what was done."""

    help = "After the database was put back, while no process of the service runs: docs/disaster.md"

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it; `reconcile` goes on from there."""
        for what, count in recovery.recover().items():
            self.stdout.write(f"{count} {what}")
