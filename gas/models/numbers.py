"""The numbers of rows: none is given twice, also after the database was put back."""

from django.db import connection, transaction

#: Further than any database gets between two backups.
LEAP = 1_000_000

_OF_POSTGRESQL = """
SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, coalesce(last_value, 0) + %s)
FROM pg_sequences WHERE schemaname = current_schema()
"""

#: A table that never had a row has no counter yet.
_COUNTERS_OF_SQLITE = """
INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master
WHERE sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)
"""
_OF_SQLITE = "UPDATE sqlite_sequence SET seq = seq + %s"


@transaction.atomic
def leap() -> int:
    """Let the next row of every table bear a number far beyond the last; returns of how many."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(_COUNTERS_OF_SQLITE)
            cursor.execute(_OF_SQLITE, [LEAP])
        else:
            cursor.execute(_OF_POSTGRESQL, [LEAP])
        return int(cursor.rowcount)
