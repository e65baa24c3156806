"""The logs of jobs, accounts and staff are added to; the database itself refuses whatever else."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.db.models.functions import Now

from gas.models import AccountEvent, Job, JobEvent, StaffAct, Status, User
from gas.services import accounts, jobs
from gas.unchangeable import STAYS, guard
from tests.seams.world import World
from tests.unit.domain.rows import job_in


@pytest.fixture
def rows(owner: User) -> dict[str, Model]:
    """A row of each log."""
    job = job_in(Status.QUEUED, owner)
    return {
        "gas_jobevent": JobEvent.objects.create(job=job, actor="owner", after="queued"),
        "gas_accountevent": AccountEvent.objects.create(account=owner, actor="owner", what="a"),
        "gas_staffact": StaffAct.objects.create(
            actor="operator", act="lock", kind="user", number="1", reason="a", done=True, outcome=""
        ),
    }


def saved(row: Model) -> None:
    vars(row)["actor"] = "nobody"
    row.save()


WAYS: dict[str, Callable[[Model], object]] = {
    "saved": saved,
    "updated": lambda row: type(row)._default_manager.update(actor="nobody"),
    "deleted": lambda row: row.delete(),
    "all deleted": lambda row: type(row)._default_manager.all().delete(),
    "bulk": lambda row: type(row)._default_manager.bulk_update([row], ["actor"]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("table", STAYS)
def test_no_row_of_a_log_is_changed_or_taken(rows: dict[str, Model], table: str, way: str) -> None:
    row = rows[table]
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        WAYS[way](row)
    assert type(row)._default_manager.values_list("actor").get(pk=row.pk) != ("nobody",)


@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET actor = 'nobody'"])
@pytest.mark.parametrize("table", STAYS)
def test_not_even_by_a_statement_of_sql(rows: dict[str, Model], table: str, statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_the_history_of_a_job_goes_with_the_job(world: World, owner: User) -> None:
    job, kept = world.queued(owner), world.queued(owner)
    for each in (job, kept):
        JobEvent.objects.create(job=each, actor="owner", after="queued")
    jobs.delete(job=job, actor=owner)
    assert [event.job_id for event in JobEvent.objects.all()] == [kept.pk]


def test_the_history_of_an_account_goes_when_its_owner_has_it_deleted_but_not_that_they_had(
    world: World, owner: User
) -> None:
    AccountEvent.objects.create(account=owner, actor="owner", what="declined mails: all")
    accounts.leave(user=owner)
    event = AccountEvent.objects.get()
    assert event.what.startswith("deleted everything")
    with pytest.raises(IntegrityError), transaction.atomic():
        event.delete()


def test_nothing_of_an_account_that_is_still_emptying_but_its_history_goes(
    world: World, owner: User, stranger: User
) -> None:
    mine = AccountEvent.objects.create(account=owner, actor="owner", what="a")
    AccountEvent.objects.create(account=stranger, actor="owner", what="b")
    User.objects.filter(pk=owner.pk).update(left_at=Now())
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountEvent.objects.all().delete()
    mine.delete()
    assert AccountEvent.objects.get().what == "b"


def test_the_guards_are_made_again_by_the_next_migrate(owner: User) -> None:
    guard(using="default")
    job = job_in(Status.QUEUED, owner)
    event = JobEvent.objects.create(job=job, actor="owner", after="queued")
    with pytest.raises(IntegrityError), transaction.atomic():
        event.delete()
    Job.objects.all().delete()
    event.delete()
