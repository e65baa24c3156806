"""One at a time, over all workers."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Tell whether nobody else is at this, and keep everybody else from it in this block.

    PostgreSQL's lock ends with its connection, so that a lost worker keeps nobody out. SQLite has
    none: there two at once only do some things twice, which is harmless.
    """
    if connection.vendor != "postgresql":
        yield True
        return
    key = [zlib.crc32(f"gas.{name}".encode())]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", key)
        mine = bool(cursor.fetchone()[0])
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", key)
