"""`python -m bench.pages`: time pages of the first account, in this process, as stdin asks.

Each line `PATH TIMES` is answered by `MILLISECONDS QUERIES`: the quickest of so many times, and the
queries of one. `session` is answered by a session's key, `jobs` by a job of each state. Storage is
in memory.
"""

import json
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.configured import READY
from gas.models import Status, User
from gas.storage import objects
from gas.storage.locations import Location

SUMMARY = {"records_in": 2, "alleles": 2, "annotated": 2, "impacts": {"HIGH": 1, "LOW": 1}}


def read_start(source: Location, size: int = 0, *, etag: str | None = None) -> bytes:
    """Stand in for storage, whose answers take as long however many jobs there are."""
    return json.dumps(SUMMARY).encode()


def timed(client: Client, path: str, times: int) -> tuple[float, int]:
    """The milliseconds of a page when nobody was in its way, and its queries."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
    queries = len(asked)  # before the next request forgets them
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    spans = []
    for _ in range(times):
        began = time.perf_counter()
        client.get(path)
        spans.append(time.perf_counter() - began)
    return 1000 * min(spans), queries


def one_of_each(owner: User) -> dict[str, int]:
    """The oldest job of the account in each state."""
    found = {status: owner.jobs.filter(status=status).order_by("pk").first() for status in Status}
    return {status.value: job.pk for status, job in found.items() if job is not None}


def main() -> None:
    """Answer until stdin ends."""
    vars(objects)["read_start"] = read_start
    owner, client = User.objects.order_by("pk")[0], Client(headers={"host": "127.0.0.1"})
    client.force_login(owner, "django.contrib.auth.backends.ModelBackend")
    answers: dict[str, Callable[[], str]] = {
        "session": lambda: client.cookies[settings.SESSION_COOKIE_NAME].value,
        "jobs": lambda: json.dumps(one_of_each(owner)),
    }
    for line in sys.stdin:
        path, _, times = line.strip().partition(" ")
        if path in answers:
            print(answers[path](), flush=True)
        else:
            print(*timed(client, path, int(times)), flush=True)


if __name__ == "__main__" and READY:
    main()
