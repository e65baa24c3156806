"""The disk that a worker needs: when it is full that is our trouble, and another's may be well."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from annotator.errors import DiskFull
from gas.models import Alarm
from gas.storage.errors import DiskRefused

#: How a disk that is full, over a quota, broken, or read-only because it broke, refuses.
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


@contextmanager
def disk_needed() -> Iterator[None]:
    """Turn what this machine's disk refuses into a DiskRefused, and tell staff once a day."""
    try:
        yield
    except DiskFull as error:
        raise _refused(str(error)) from error
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        raise _refused(error.strerror or type(error).__name__) from error


def _refused(why: str) -> DiskRefused:
    """Say why in the words of the system, which name no file."""
    host = socket.gethostname()
    told = f"The disk of {host} takes no annotations: {why}"
    Alarm.raise_once(f"disk of {host} on {timezone.now():%F}", told)
    return DiskRefused(f"{host}: {why}")
