"""reconcile: one test for each way in which rows and storage can differ, and none on a good day."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from gas.models import (
    Alarm,
    Discard,
    Job,
    Notice,
    Reconciliation,
    ResultFile,
    Status,
    Upload,
    User,
)
from gas.services import jobs
from gas.storage.errors import StorageUnavailable
from gas.storage.inventory import OpenUpload
from gas.storage.locations import Location, inputs, results
from tasks import differences
from tasks.differences import SAFE_AGE
from tasks.reconcile import compare, reconcile
from tests.seams.world import World, read

HOUR = timedelta(hours=1)
ANCIENT = SAFE_AGE + HOUR
LARGE = len(ResultFile.ARCHIVED_KINDS)


def counted(**options: bool) -> dict[str, int]:
    """Compare once; returns how many differences of each kind there were."""
    kept = compare(dry_run=options.get("dry_run", False))
    assert kept is not None
    assert kept == Reconciliation.objects.latest("pk")
    counts: dict[str, int] = kept.counts
    return counts


def age_everything(world: World) -> None:
    """Let everything in storage have lain there for long."""
    world.storage.ages = dict.fromkeys(world.storage.kept, ANCIENT)
    world.archive.ages = dict.fromkeys(world.archive.copies, ANCIENT)


def everything(world: World) -> list[Any]:
    models = (Job, Upload, ResultFile, Discard, Alarm, Notice)
    rows = [list(model._default_manager.order_by("pk").values()) for model in models]
    return [*rows, dict(world.storage.kept), dict(world.archive.copies), list(world.storage.parts)]


def put(world: World, place: Location, *, age: timedelta = ANCIENT) -> str:
    world.storage.kept[str(place)] = b"bytes"
    world.storage.ages[str(place)] = age
    return str(place)


def uploaded(world: World, owner: User, *, age: timedelta, **columns: Any) -> Upload:
    upload = Upload.objects.create(owner=owner, filename="cohort.vcf", **columns)
    Upload.objects.filter(pk=upload.pk).update(created_at=timezone.now() - age)
    put(world, inputs(upload.key), age=age)
    return upload


@pytest.fixture
def town(world: World, owner: User, subscriber: User) -> World:
    """Jobs in every state at rest, with all that belongs to them."""
    world.archived(owner)
    world.completed(owner)
    world.broker.lose()
    world.completed(subscriber)
    jobs.cancel(job=world.queued(owner), actor=owner)
    Discard.objects.all().delete()
    world.queued(owner)
    world.broker.lose()
    return world


def test_a_good_day_changes_nothing_and_reports_nothing(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    age_everything(town)
    before = everything(town)
    with caplog.at_level(logging.INFO):
        assert counted() == {}
    assert everything(town) == before
    assert caplog.messages == []
    assert town.broker.names() == []
    assert Reconciliation.objects.get().ended_at is not None


def test_a_result_that_no_row_leads_to_is_destroyed(town: World, owner: User) -> None:
    job = town.completed(owner)
    age_everything(town)
    orphan = put(town, results(f"results/{job.pk}/99/annotated.vcf.gz"))
    of_nobody = put(town, results("results/99999/1/summary.json"))
    odd = put(town, results("elsewhere"))
    before = set(town.storage.kept) - {orphan, of_nobody, odd}
    assert counted() == {"results without a row": 3}
    assert set(town.storage.kept) == before
    assert not Discard.objects.exists()
    assert odd in Reconciliation.objects.latest("pk").report


def test_results_younger_than_any_attempt_are_left_alone(town: World, owner: User) -> None:
    job = town.queued(owner)
    young = put(town, results(f"{job.prefix}1/annotated.vcf.gz"), age=SAFE_AGE - HOUR)
    assert counted() == {}
    assert young in town.storage.kept


def test_the_original_of_an_archived_file_is_destroyed_and_that_of_one_on_its_way_is_kept(
    town: World, owner: User
) -> None:
    job = town.archived(owner)
    age_everything(town)
    left = put(town, results(job.files.get(kind="vcf").key))
    moving = town.completed(owner)
    town.archive.meanwhile = _break_down
    assert town.broker.deliver("archive") == "RETRY"
    ResultFile.objects.filter(job=moving, kind="vcf").update(archive_id="archived:on its way")
    town.archive.copies["archived:on its way"] = b""
    age_everything(town)
    assert counted() == {"results without a row": 1}
    assert left not in town.storage.kept
    assert str(results(moving.files.get(kind="vcf").key)) in town.storage.kept


def _break_down() -> None:
    raise StorageUnavailable("busy")


def test_a_result_that_is_missing_is_an_alarm_and_marks_the_job(town: World, owner: User) -> None:
    job = town.completed(owner)
    age_everything(town)
    file = job.files.get(kind="vcf")
    del town.storage.kept[str(results(file.key))]
    for _ in range(2):
        assert counted() == {"results that are missing": 1}
    assert (read(job).trouble, read(job).state) == (
        f"annotated.vcf.gz is not at {results(file.key)}",
        Status.COMPLETED,
    )
    assert Alarm.objects.get().job_id == job.pk
    assert not Discard.objects.exists()


def test_a_receipt_whose_copy_is_missing_is_an_alarm_and_marks_the_job(
    town: World, owner: User
) -> None:
    job = town.archived(owner)
    age_everything(town)
    lost = job.files.get(kind="vcf").archive_id
    del town.archive.copies[lost]
    for _ in range(2):
        assert counted() == {"receipts whose copy is missing": 1}
    assert lost in read(job).trouble
    assert Alarm.objects.get().job_id == job.pk


def test_an_archived_copy_without_a_receipt_is_destroyed_when_it_is_old(
    town: World, owner: User
) -> None:
    age_everything(town)
    before = dict(town.archive.copies)
    town.archive.copies |= {"archived:orphan": b"", "archived:young": b""}
    town.archive.ages["archived:orphan"] = ANCIENT
    assert counted() == {"archived copies without a receipt": 1}
    assert town.archive.copies == before | {"archived:young": b""}


def test_an_archive_that_does_not_tell_what_it_holds_is_not_compared(
    town: World, owner: User
) -> None:
    age_everything(town)
    town.archive.silent = True
    town.archive.copies["archived:orphan"] = b""
    town.archive.ages["archived:orphan"] = ANCIENT
    assert counted() == {}


def ended(job: Job, status: Status, ago: timedelta) -> None:
    Job.objects.filter(pk=job.pk).update(
        status=status, failure="No.", wake_at=None, completed_at=Now() - ago
    )


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_the_input_of_a_job_that_ended_without_results_goes_after_its_time(
    town: World, owner: User, status: Status
) -> None:
    old, young = town.queued(owner), town.queued(owner)
    ended(old, status, settings.INPUTS_KEPT + HOUR)
    ended(young, status, settings.INPUTS_KEPT - HOUR)
    assert counted() == {"inputs of jobs that ended long ago": 1}
    assert read(old).upload.removed_at is not None
    assert str(inputs(old.upload.key)) not in town.storage.kept
    assert str(inputs(young.upload.key)) in town.storage.kept
    assert counted() == {}


def test_an_input_that_a_second_job_needs_stays(town: World, owner: User) -> None:
    job = town.queued(owner)
    ended(job, Status.FAILED, settings.INPUTS_KEPT + HOUR)
    Job.objects.create(owner=owner, upload=job.upload, name="again")
    assert counted() == {}


def test_an_input_without_an_upload_in_use_is_destroyed(town: World, owner: User) -> None:
    age_everything(town)
    refused = uploaded(town, owner, age=ANCIENT, status="refused", refusal="No VCF.")
    nobodys = put(town, inputs("inputs/1/0e7b9b0e-5d1a-4d0e-9a57-0c5f2f0a1d01/input.vcf"))
    odd = put(town, inputs("inputs/a"))
    young = put(town, inputs("inputs/b"), age=SAFE_AGE - HOUR)
    assert counted() == {"inputs without upload": 3}
    assert not {str(inputs(refused.key)), nobodys, odd} & set(town.storage.kept)
    assert young in town.storage.kept


def test_parts_that_nobody_completed_are_aborted(town: World) -> None:
    old, young = (
        OpenUpload(results("results/1/1/a"), name, timezone.now() - age)
        for name, age in (("old", ANCIENT), ("young", SAFE_AGE - HOUR))
    )
    town.storage.parts = [old, young]
    assert counted() == {"uploads in parts that never ended": 1}
    assert town.storage.parts == [young]


def test_parts_of_an_upload_that_takes_days_are_left_alone(town: World, owner: User) -> None:
    columns = {"parts_id": "slow", "announced": 9, "part_bytes": 5}
    upload = uploaded(town, owner, age=ANCIENT, **columns, give_up_at=timezone.now() + HOUR)
    town.storage.parts = [OpenUpload(inputs(upload.key), "slow", timezone.now() - ANCIENT)]
    assert counted() == {}
    assert len(town.storage.parts) == 1


def wreck(town: World, owner: User) -> None:
    """Make one difference of every kind."""
    town.archived(owner)
    missing, lost = town.completed(owner), town.archived(owner)
    ended(town.queued(owner), Status.FAILED, settings.INPUTS_KEPT + HOUR)
    age_everything(town)
    del town.storage.kept[str(results(missing.files.get(kind="vcf").key))]
    del town.archive.copies[lost.files.get(kind="vcf").archive_id]
    town.archive.copies["archived:orphan"] = b""
    town.archive.ages["archived:orphan"] = ANCIENT
    put(town, inputs("inputs/a"))
    put(town, results("results/99999/1/summary.json"))
    town.storage.parts = [OpenUpload(results("a"), "old", timezone.now() - ANCIENT)]


KINDS = {
    "inputs of jobs that ended long ago",
    "inputs without upload",
    "results without a row",
    "results that are missing",
    "archived copies without a receipt",
    "receipts whose copy is missing",
    "uploads in parts that never ended",
}


def test_a_dry_run_finds_all_and_changes_nothing(town: World, owner: User) -> None:
    wreck(town, owner)
    before = everything(town)
    assert counted(dry_run=True) == dict.fromkeys(KINDS, 1)
    assert everything(town) == before
    assert counted() == dict.fromkeys(KINDS, 1)
    assert set(counted()) == {"results that are missing", "receipts whose copy is missing"}


@pytest.mark.parametrize("size", [1, 2, 7])
def test_pages_of_any_size_find_the_same(
    town: World, owner: User, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(differences, "PAGE", size)
    wreck(town, owner)
    assert counted(dry_run=True) == dict.fromkeys(KINDS, 1)


def test_listings_and_rows_are_never_in_memory_as_a_whole(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_ahead = 0

    def endless() -> Any:
        nonlocal read_ahead
        for number in range(10**9):
            read_ahead += 1
            yield f"results/{number:09}/1/a", timezone.now()

    pages = differences._pages(differences.side_by_side(endless(), iter([])))
    next(pages)
    assert read_ahead <= differences.PAGE + 1


@pytest.mark.parametrize("page", [1, 1000])
def test_keys_are_paired_in_the_order_of_their_bytes(
    town: World, owner: User, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(differences, "PAGE", page)
    job = town.completed(owner)
    for number, file in enumerate(job.files.all()):
        odd = ["Z/1", "a-1", "a/1", "a1", "é/1", "_", "~", "a.1"][number]
        town.storage.kept[str(results(odd))] = town.storage.kept.pop(str(results(file.key)))
        ResultFile.objects.filter(pk=file.pk).update(key=odd)
    age_everything(town)
    assert counted() == {}


@pytest.mark.parametrize("listed_first", [True, False])
def test_what_changed_during_the_listing_is_no_difference(
    town: World, owner: User, monkeypatch: pytest.MonkeyPatch, listed_first: bool
) -> None:
    job = town.completed(owner)
    age_everything(town)
    listing: Callable[..., Any] = town.storage.objects_of
    in_order: Callable[..., Any] = differences._in_order

    def listed(bucket: str, prefix: str = "") -> Any:
        before = list(listing(bucket, prefix))
        if not prefix and bucket == settings.BUCKETS["results"] and town.broker.arrived("archive"):
            town.broker.deliver("archive")
        yield from before if listed_first else list(listing(bucket, prefix))

    monkeypatch.setattr("gas.storage.inventory.objects_of", listed)
    if not listed_first:
        monkeypatch.setattr(
            differences, "_in_order", lambda rows, column: iter(list(in_order(rows, column)))
        )
    assert counted() == {}
    assert read(job).state is Status.ARCHIVED
    assert not Alarm.objects.exists()


def test_a_storage_that_does_not_answer_is_a_line_of_the_report(
    town: World, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StorageUnavailable("S3 is away")

    monkeypatch.setattr("gas.storage.inventory.open_uploads", away)
    put(town, inputs("inputs/a"))
    assert counted() == {"inputs without upload": 1, "places that did not answer": 1}
    assert "S3 is away" in Reconciliation.objects.get().report


def test_it_is_a_message_like_any_other(town: World, owner: User) -> None:
    reconcile.delay()
    assert town.broker.deliver("reconcile") == "SUCCESS"
    assert Reconciliation.objects.count() == 1
