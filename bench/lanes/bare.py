"""Bare Celery with our configuration and transport: tasks that do nothing, on our queues.

Their names are their own: the site's checks, which Celery runs, bring in the tasks of the pipeline.
"""

import sys
import tempfile
import time
from pathlib import Path

from celery import Celery, chain

from dev.waiting import until
from tasks import transport

SECONDS = 600.0

transport.register()
app = Celery("bare")
app.config_from_object("celeryconfig")
app.conf["imports"] = []


@app.task(name="bare-annotate", queue="annotate")
def first(number: int, tally: str) -> None:
    """Do nothing."""


@app.task(name="bare-notify", queue="notify")
def second(number: int, tally: str) -> None:
    """Do nothing."""


@app.task(name="bare-archive", queue="archive")
def third(number: int, tally: str) -> None:
    """Make the tally one byte longer."""
    with Path(tally).open("ab") as file:
        file.write(b".")


def main(count: int) -> None:
    """Send every chain, wait for the last, and print the seconds."""
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile() as tally:
        for number in range(count):
            given = (number, tally.name)
            chain(first.si(*given), second.si(*given), third.si(*given)).apply_async()
        until(lambda: Path(tally.name).stat().st_size == count, "bare chains", seconds=SECONDS)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]))
