"""Two releases share a database for a while: what the newer one changes harms no older one."""

from collections.abc import Iterator

import pytest
from django.db.migrations import AddField, RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED

#: The newest migration that was there before releases had to live side by side.
FIRST = "0018"
#: What takes away, or names anew, something that the release before reads or writes.
TAKING = {
    "AlterModelTable",
    "AlterUniqueTogether",
    "DeleteModel",
    "RemoveField",
    "RenameField",
    "RenameModel",
}


def operations() -> Iterator[tuple[str, Operation]]:
    """Each operation of our newer migrations."""
    loader = MigrationLoader(None)
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app == "gas" and name > FIRST + "~":
            yield from ((name, each) for each in migration.operations)


def is_written_by_who_does_not_know_it(operation: AddField) -> bool:
    """Tell whether the database fills a column in by itself; Django's own default is not there."""
    field = operation.field
    return field.null or field.many_to_many or field.db_default is not NOT_PROVIDED


@pytest.mark.parametrize(
    ("name", "operation"), [pytest.param(n, o, id=f"{n} {o.describe()}") for n, o in operations()]
)
def test_the_release_before_works_on_a_database_that_is_newer(
    name: str, operation: Operation
) -> None:
    assert type(operation).__name__ not in TAKING, (
        f"{name}: what the release before uses goes one release after nobody uses it"
    )
    if isinstance(operation, AddField):
        assert is_written_by_who_does_not_know_it(operation), (
            f"{name}: the release before leaves {operation.name} out: null=True or db_default="
        )
    assert not isinstance(operation, RunPython | RunSQL) or operation.reversible, name
