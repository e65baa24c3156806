"""reconcile: once a day rows and storage are compared, and what neither explains is dealt with.

Bytes that no row knows are destroyed once they are older than any attempt that could be at work;
a row whose bytes are missing is an alarm. On a good day it only finds inputs at their end.
"""

import logging
from collections import Counter

from celery.exceptions import Ignore
from django.db.models.functions import Now

from gas.models import Reconciliation
from gas.storage.errors import StorageError
from tasks.alone import alone
from tasks.app import app
from tasks.differences import LOOKS, Difference

logger = logging.getLogger(__name__)

#: Lines of a report that are kept.
MOST_LINES = 200


@app.task(name="reconcile")
def reconcile() -> None:
    """Compare, mend and report."""
    if compare(dry_run=False) is None:
        raise Ignore


def compare(*, dry_run: bool) -> Reconciliation | None:
    """Look for every difference and keep the report; None when somebody else is at it.

    With `dry_run` nothing is changed. A storage that does not answer is a line of the report.
    """
    with alone("reconcile") as mine:
        if not mine:
            return None
        kept = Reconciliation.objects.create(dry_run=dry_run)
        counts, lines = _differences(dry_run)
        if counts:
            logger.warning("reconciled: %s", ", ".join(f"{n} {what}" for what, n in counts.items()))
        kept.counts, kept.report = dict(counts), "\n".join(lines)
        Reconciliation.objects.filter(pk=kept.pk).update(
            counts=kept.counts, report=kept.report, ended_at=Now()
        )
    return kept


def _differences(dry_run: bool) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    lines: list[str] = []

    def note(difference: Difference) -> None:
        counts[difference.what] += 1
        if len(lines) < MOST_LINES:
            lines.append(f"{difference.what}: {difference.which}")

    for look in LOOKS:
        try:
            for difference in look(dry_run):
                note(difference)
        except StorageError as error:
            logger.exception("%s has to wait", look.__name__)
            note(Difference("places that did not answer", str(error)))
    return counts, lines
