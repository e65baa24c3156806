"""How long to wait before what was refused is tried once more."""

from datetime import timedelta

from django.conf import settings

#: Beyond this, waiting longer helps nobody.
LONGEST_WAIT = timedelta(hours=1)


def wait_after(tries: int) -> timedelta:
    """Return how long to wait before the next try: twice as long each time, up to an hour."""
    doubled: timedelta = settings.RETRY_AFTER * 2 ** min(tries, 20)
    return min(doubled, LONGEST_WAIT)
