"""`python -m bench.crowd JOBS`: fill an empty PostgreSQL with jobs of many owners, in every state.

A thousand are made one by one; the others are copies that PostgreSQL makes of them, with owners,
numbers, names and dates of their own. The first account owns a tenth of all.
"""

import random
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from bench.configured import READY
from gas.models import Job, JobEvent, ResultFile, Status, Upload, User

SAMPLE = 1000
#: Jobs of a thousand in each state.
KINDS = Counter(
    {
        Status.ARCHIVED: 675,
        Status.COMPLETED: 250,
        Status.FAILED: 40,
        Status.CANCELLED: 20,
        Status.THAWING: 5,
        Status.RUNNING: 3,
        Status.RESTORING: 3,
        Status.QUEUED: 2,
        Status.ARCHIVING: 2,
    }
)
#: How each came there, as far as the benchmark's pages tell.
WAYS = {
    Status.QUEUED: [],
    Status.RUNNING: [Status.RUNNING],
    Status.FAILED: [Status.RUNNING, Status.FAILED],
    Status.CANCELLED: [Status.CANCELLED],
}
DONE = [Status.RUNNING, Status.COMPLETED]
NAMES = ("Trio {}", "Founders {}", "mtDNA panel {}", "Exome batch {}", "Pilot {}")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def sample(owners: list[User]) -> None:
    """Make the thousand."""
    states = list(KINDS.elements())
    random.Random(1).shuffle(states)
    uploads = [
        Upload(
            owner=_owner(owners, n), filename=f"calls-{n}.vcf.gz", size=50_000, status="complete"
        )
        for n in range(SAMPLE)
    ]
    Upload.objects.bulk_create(uploads)
    for n, (upload, status) in enumerate(zip(uploads, states, strict=True)):
        job = Job.objects.create(
            owner=upload.owner,
            upload=upload,
            name=NAMES[n % len(NAMES)].format(n),
            bundle="demo-grch38",
            status=status,
            created_at=BEGIN + timedelta(seconds=n),
            **_columns(status),
        )
        _write_history(job, [Status.QUEUED, *WAYS.get(status, DONE)])
        if status not in WAYS:
            _write_files(job)


def _owner(owners: list[User], number: int) -> User:
    return owners[0] if number % 10 == 0 else owners[1 + number % (len(owners) - 1)]


def _columns(status: Status) -> dict[str, Any]:
    columns: dict[str, Any] = {"wake_at": None, "variants": 121}
    if status not in (Status.QUEUED, Status.RUNNING):
        columns["completed_at"] = BEGIN
    if status in (Status.ARCHIVED, Status.THAWING, Status.RESTORING):
        columns["archived_at"] = BEGIN
    if status is Status.FAILED:
        columns["failure"] = "Line 12 has only 7 columns."
        columns["failure_kind"] = "input"
    return columns | ({"result_prefix": "results/"} if status is Status.COMPLETED else {})


def _write_history(job: Job, way: list[Status]) -> None:
    for step, (before, after) in enumerate(zip(["", *way], way, strict=False)):
        at = BEGIN + timedelta(seconds=30 * step)
        JobEvent.objects.create(job=job, actor="worker", before=before, after=after, at=at)


def _write_files(job: Job) -> None:
    ResultFile.objects.bulk_create(
        ResultFile(job=job, kind=kind, key=f"results/{job.pk}/1/{name}", size=900, sha256=64 * "5")
        for kind, name in ResultFile.NAMES.items()
    )


def copy(times: int, owners: list[User]) -> None:
    """Let PostgreSQL make so many copies of the thousand, their files and their histories."""
    others = len(owners) - 1
    owner = f"CASE WHEN t.owner_id = {owners[0].pk} THEN t.owner_id ELSE {owners[1].pk} + "
    moved = owner + f"(31 * t.number + c) %% {others} END"
    job, upload = "t.number + 1000 * c", "md5(t.number || '.' || c)::uuid"
    name = "t.name || '-' || c"
    renamed = {
        "id": job,
        "owner_id": moved,
        "upload_id": upload,
        "name": name,
        "search_text": f"lower({name})",
        "created_at": "t.created_at + c * interval '1000 s'",
    }
    tables: list[tuple[type[models.Model], dict[str, str]]] = [
        (Upload, {"id": upload, "owner_id": moved}),
        (Job, renamed),
        (JobEvent, {"id": "", "job_id": job}),
        (ResultFile, {"id": "", "job_id": job}),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no foreign keys to look up
        cursor.execute("SET maintenance_work_mem = '256MB'")
        indexes = _without_indexes(cursor, [model._meta.db_table for model, _ in tables])
        for model, columns in tables:
            cursor.execute(_statement(model, columns), [times])
        for index in indexes:
            cursor.execute(index)
        cursor.execute("SELECT setval('gas_job_id_seq', max(id)) FROM gas_job")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _without_indexes(cursor: CursorWrapper, tables: list[str]) -> list[str]:
    """Drop what is quicker made when the rows are there; returns how it is made."""
    cursor.execute(
        "SELECT format('DROP INDEX %%I', i.relname), pg_get_indexdef(i.oid) FROM pg_index x"
        " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
        " WHERE t.relname = ANY(%s) AND NOT x.indisunique",
        [tables],
    )
    found = cursor.fetchall()
    for drop, _ in found:
        cursor.execute(drop)
    return [make for _, make in found]


def _statement(model: type[models.Model], changed: dict[str, str]) -> str:
    table = model._meta.db_table
    columns = [f.column for f in model._meta.concrete_fields if changed.get(f.column) != ""]
    values = ", ".join(changed.get(column, f't."{column}"') for column in columns)
    number = {
        "gas_job": "s.id",
        "gas_upload": "(SELECT j.id FROM gas_job j WHERE j.upload_id = s.id)",
    }.get(table, "s.job_id")
    few = "WHERE c < 20" if model is ResultFile else ""
    quoted = ", ".join(f'"{column}"' for column in columns)
    return (
        f"WITH t AS MATERIALIZED (SELECT s.*, {number} AS number FROM {table} s) "
        f"INSERT INTO {table} ({quoted}) SELECT {values} FROM generate_series(1, %s) c "
        f"CROSS JOIN t {few} ORDER BY c, t.number"
    )


def main() -> None:
    """Fill the database."""
    count = int(sys.argv[1])
    people = max(200, count // 1000)  # a whole page of accounts for staff
    owners = User.objects.bulk_create(User(username=f"owner-{n:06d}") for n in range(people))
    sample(owners)
    if count > SAMPLE:
        copy(count // SAMPLE - 1, owners)


if __name__ == "__main__" and READY:
    main()
