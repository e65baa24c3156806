"""Whatever the operators' page asks is a piece of an index of PostgreSQL's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from gas.models import Job, JobEvent, Status, Usage, User, Worker
from gas.services import operations_history, operations_rows
from tests.unit.domain.rows import job_in

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)

ASKED: dict[str, tuple[str, Callable[[], QuerySet[Any]]]] = {
    "oldest": ("job_due_in_state", lambda: operations_rows._due_in(Status.QUEUED)[:1]),
    "held": ("job_leased", lambda: Job.objects.order_by().filter(lease_until__gte=Now())),
    "in-state": ("job_in_state", lambda: Job.objects.filter(status="failed").order_by()),
    "ended": ("event_ended", lambda: operations_history.ends_since(timezone.now() - DAY)),
    "times": ("event_ended", lambda: operations_history.newest_annotations(timezone.now() - DAY)),
    "dearest": ("usage_dearest", lambda: Usage.objects.order_by("-monthly_microdollars")[:8]),
    "uncounted": ("usage_oldest", lambda: Usage.objects.order_by("counted_at")[:50]),
    "workers": ("worker_last_seen", lambda: Worker.objects.order_by("-seen_at")[:200]),
}


@pytest.mark.parametrize("what", ASKED)
def test_each_question_walks_along_its_index(owner: User, what: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite serves a laptop, whose tables are short")
    jobs = [job_in(Status.FAILED, owner) for _ in range(3)]
    JobEvent.objects.create(job=jobs[0], actor="a", before="running", after="failed")
    index, rows = ASKED[what]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of so few rows it would read all
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("ANALYZE")  # else by what a test before had in the tables
        assert index in rows().explain()
