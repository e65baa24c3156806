"""The logs are added to and never changed: the database itself refuses whatever else is asked.

Made after every `migrate`, because SQLite forgets the triggers of a table that a migration builds
anew; it also refuses to build a table anew that a trigger of another one names, so that there they
go before.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

SENTENCE = "this log is added to and never changed"

#: When a row must stay. Events go after their job, and those of an account when its owner has it
#: deleted, but that it was deleted is never forgotten. What staff did goes never.
STAYS = {
    "gas_jobevent": "EXISTS (SELECT 1 FROM gas_job WHERE gas_job.id = OLD.job_id)",
    "gas_accountevent": (
        "OLD.what LIKE 'deleted everything%' OR NOT EXISTS (SELECT 1 FROM gas_user"
        " WHERE gas_user.id = OLD.account_id AND gas_user.left_at IS NOT NULL)"
    ),
    "gas_staffact": "1 = 1",
}

VERBS = {"update": "1 = 1", "delete": "{stays}"}

POSTGRES = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF {when} THEN
    RAISE EXCEPTION '{sentence}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN OLD;
END $$;
CREATE OR REPLACE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()
"""

SQLITE = """
CREATE TRIGGER IF NOT EXISTS {name} BEFORE {verb} ON {table} WHEN {when}
BEGIN SELECT RAISE(ABORT, '{sentence}'); END
"""


def guards(vendor: str, tables: set[str]) -> dict[str, str]:
    """The statement that makes each guard of these tables, by its name."""
    form = POSTGRES if vendor == "postgresql" else SQLITE
    return {
        f"{table}_no_{verb}": form.format(
            name=f"{table}_no_{verb}",
            verb=verb.upper(),
            table=table,
            when=when.format(stays=STAYS[table]),
            sentence=SENTENCE,
        )
        for table in STAYS
        for verb, when in VERBS.items()
        if table in tables
    }


def guard(*, using: str, **_: Any) -> None:
    """Make every guard whose table is there."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for statement in _guards_of(connection).values():
            cursor.execute(statement)


def unguard(*, using: str, **_: Any) -> None:
    """Let migrations build tables anew on SQLite."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for name in _guards_of(connection):
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def _guards_of(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return guards(connection.vendor, set(connection.introspection.table_names()))
