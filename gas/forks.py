"""Threads that use the database in a process which forks others.

A copy of an open connection must never get into another process: SQLite takes the locks of the copy
for its own, writes beside the others and breaks the file ("carrying an open database across a
fork", https://www.sqlite.org/howtocorrupt.html), and PostgreSQL's session ends when the copy is
closed. The pool of a worker forks a process whenever one has died.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

#: Held while such a thread has a connection, and while a process is forked.
unforked = threading.RLock()

os.register_at_fork(
    before=unforked.acquire,
    after_in_parent=unforked.release,
    after_in_child=unforked.release,
)


@contextmanager
def connected() -> Iterator[None]:
    """Use the database in a thread for a moment in which no process is forked."""
    with unforked:
        try:
            yield
        finally:
            connections.close_all()
