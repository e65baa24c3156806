"""`python -m bench.pages`: time pages of the first account and of staff, as stdin asks.

Each line `PATH TIMES` is answered by `MILLISECONDS QUERIES`: the quickest of so many times, and the
queries of one, beside those whose answers a process remembers for seconds. `session` is answered by
a session's key, `jobs` by a job of each state, `owner` by the account. Storage and queues are in
memory.
"""

import json
import logging
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.configured import READY
from gas.models import Status, User
from gas.storage import objects, queues
from gas.storage.locations import Location
from gas.storage.queues import Counts

SUMMARY = {"records_in": 2, "alleles": 2, "annotated": 2, "impacts": {"HIGH": 1, "LOW": 1}}


def read_start(source: Location, size: int = 0, *, etag: str | None = None) -> bytes:
    """Stand in for storage, whose answers take as long however many jobs there are."""
    return json.dumps(SUMMARY).encode()


def counts(url: str) -> Counts:
    """Stand in for SQS, which is asked once in some seconds for everybody."""
    return Counts(0, 0, 0)


def timed(client: Client, path: str, times: int) -> tuple[float, int]:
    """The milliseconds of a page when nobody was in its way, and its queries."""
    client.get(path)
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


def browser_of(user: User) -> Client:
    """A browser in which somebody is signed in, with a second factor."""
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["proven_at"] = time.time() + 86_400  # so that it does not end during the benchmark
    session.save()
    return client


def main() -> None:
    """Answer until stdin ends."""
    logging.getLogger("gas.views.trail").setLevel(logging.WARNING)  # lines would hide the table
    vars(objects)["read_start"], vars(queues)["counts"] = read_start, counts
    owner = User.objects.order_by("pk")[0]
    client = browser_of(owner)
    staff = browser_of(User.objects.create_user("staff", is_staff=True, is_superuser=True))
    answers: dict[str, Callable[[], str]] = {
        "session": lambda: client.cookies[settings.SESSION_COOKIE_NAME].value,
        "jobs": lambda: json.dumps(one_of_each(owner)),
        "owner": lambda: str(owner.pk),
    }
    for line in sys.stdin:
        path, _, times = line.strip().partition(" ")
        if path in answers:
            print(answers[path](), flush=True)
        else:
            who = staff if path.startswith("/admin/") else client
            print(*timed(who, path, int(times)), flush=True)


if __name__ == "__main__" and READY:
    main()
