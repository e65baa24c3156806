"""`manage.py migrate_once`: bring the database to this release, on one machine of many."""

import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from gas import health
from tasks.alone import alone

#: Seconds between two looks at whether another machine is done.
PAUSE = 1.0


class Command(BaseCommand):
    """Migrate, or wait for who does; an older release than the database's has nothing to do."""

    help = "Bring the database to this release unless another machine does, and wait for that."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say whether it was done here or is done already."""
        while not health.migrations_applied():
            with alone("migrate") as mine:
                if not mine:
                    time.sleep(PAUSE)
                elif not health.migrations_applied():
                    call_command("migrate", interactive=False, verbosity=options["verbosity"])
                    self.stdout.write("the database was brought to this release here")
        self.stdout.write("the database is as this release wants it")
