"""A process that waits less: for SQLite as `GAS_FAULTS_LOCK` says, and for answers that drip."""

import os
from typing import Any

from django.db import connection

from gas.storage import patience

#: Seconds in place of the minutes that S3 may take for an answer.
LONGEST_ANSWER = 10.0


def shorten() -> None:
    """Let this process wait so long for another writer, if it is to; before it connects."""
    patience.LONGEST = LONGEST_ANSWER
    seconds = os.environ.get("GAS_FAULTS_LOCK")
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    if seconds and connection.vendor == "sqlite":
        options["timeout"] = float(seconds)
