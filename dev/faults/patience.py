"""A process that waits less for SQLite: `GAS_FAULTS_LOCK` says how many seconds."""

import os
from typing import Any

from django.db import connection


def shorten() -> None:
    """Let this process wait so long for another writer, if it is to; before it connects."""
    seconds = os.environ.get("GAS_FAULTS_LOCK")
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    if seconds and connection.vendor == "sqlite":
        options["timeout"] = float(seconds)
