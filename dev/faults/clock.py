"""A process whose clock is wrong: `GAS_FAULTS_CLOCK` says by how many seconds, ahead or behind.

Only what asks Python for the time is deceived: the pipeline, Django and Celery. Signatures for AWS
stay valid, and the database has a clock of its own.
"""

import os
import sys
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any

DECEIVED = ("celery", "django", "gas", "kombu", "tasks")

_real_time = time.time


class _AnyMoment(type):
    def __instancecheck__(cls, moment: object) -> bool:
        return isinstance(moment, datetime)


def deceive() -> None:
    """Set the clock of this process wrong, if it is to be; after every module has been loaded."""
    seconds = float(os.environ.get("GAS_FAULTS_CLOCK") or 0)
    if not seconds:
        return

    class Wrong(datetime, metaclass=_AnyMoment):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=seconds)

    setattr(time, time.time.__name__, lambda: _real_time() + seconds)
    for name, module in list(sys.modules.items()):
        deceived = name.partition(".")[0] in DECEIVED
        if deceived and getattr(module, "datetime", None) is datetime:
            module.__dict__["datetime"] = Wrong
