"""A process that waits less for SQLite: `GAS_FAULTS_LOCK` says how many seconds."""

import os
from typing import Any

from django.conf import settings


def shorten() -> None:
    """Let this process wait so long for another writer, if it is to; before it connects."""
    seconds = os.environ.get("GAS_FAULTS_LOCK")
    options: dict[str, Any] = settings.DATABASES["default"].get("OPTIONS", {})
    if seconds and "timeout" in options:
        options["timeout"] = float(seconds)
