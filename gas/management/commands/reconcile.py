"""`manage.py reconcile`: compare rows with what lies in storage, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.reconcile import compare


class Command(BaseCommand):
    """Compare, mend what can be mended, and print the report."""

    help = "Compare rows with storage; destroy what no row explains, raise alarms for what lacks."

    def add_arguments(self, parser: CommandParser) -> None:
        """Only look, or mend."""
        parser.add_argument("--dry-run", action="store_true", help="only look, change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        """Print what was found, the first of them by name."""
        kept = compare(dry_run=dry_run)
        if kept is None:
            raise CommandError("Somebody else is comparing just now.")
        if kept.report:
            self.stdout.write(kept.report)
        for what, count in sorted(kept.counts.items()):
            self.stdout.write(f"{count} {what}")
        if not kept.counts:
            self.stdout.write("rows and storage agree")
