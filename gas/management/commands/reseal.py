"""`manage.py reseal`: encrypt anew with the newest of `GAS_TOKEN_KEYS`, so that old ones may go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gas.services import keys


class Command(BaseCommand):
    """Encrypt every kept token and secret anew."""

    help = "Encrypt kept tokens and webhook secrets anew with the first of GAS_TOKEN_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many; fail when some can be opened by none of the keys."""
        found = keys.reseal_all()
        self.stdout.write(f"{found.anew} sealed with the newest key")
        if found.lost:
            raise CommandError(f"{found.lost} cannot be opened by any of the keys.")
