"""How far a run of the annotator is, told to the row of its job for the page."""

import logging
import time
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError

from gas.models import Job
from tasks.leases import Heartbeat, renew_connection

logger = logging.getLogger(__name__)

#: The page asks every three seconds; more often than this nobody would see it.
EVERY_SECONDS = 2.0

#: The stage that is told at once, because none follows while the results are put away.
LAST = "done"


class Teller:
    """Writes what it hears to the row, every two seconds at most; no work depends on it.

    To the heartbeat it is the sign that the work moves on.
    """

    def __init__(
        self, job: Job, heartbeat: Heartbeat, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._job, self._heartbeat = job, heartbeat
        self._clock, self._next = clock, 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        """Hear a stage and the fraction of the whole; LeaseLost when the claim is stale."""
        self._heartbeat.progress()
        now = self._clock()
        if now < self._next and stage != LAST:
            return
        self._next = now + EVERY_SECONDS
        try:
            self._job.tell(stage, int(100 * fraction))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the progress of job %s was not told: %s", self._job.pk, error)
            renew_connection()
