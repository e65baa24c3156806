"""What things cost, held against examples worked out by hand with Amazon's price list."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from gas import prices
from gas.models import Job, JobEvent, ResultFile, Status, Usage, User
from gas.prices import GB
from gas.services import costs
from gas.services.costs import Doings, Stay, cost_of
from tasks import usage
from tests.stage import Shelf, job_in

DAY = timedelta(days=1)
MONTH = 30 * DAY
BILLION = 10**9


def test_the_table_says_of_where_and_when_it_is() -> None:
    assert prices.PRICES.region == "us-east-1"
    assert prices.PRICES.as_of.year >= 2025


def test_a_hundred_gigabytes_at_hand_cost_two_dollars_thirty_a_month() -> None:
    assert prices.standard(100 * GB) == pytest.approx(2.30)
    assert prices.standard(100 * GB, 3 * DAY) == pytest.approx(0.23)


def test_a_terabyte_in_a_thousand_archived_files_costs_what_is_added_to_each_file_too() -> None:
    # 1024 GB x 0.0036 = 3.6864; 1000 x 32 KB = 0.030518 GB x 0.0036; 1000 x 8 KB at 0.023
    assert prices.archived(1024 * GB, 1000) == pytest.approx(3.6864 + 0.00010986 + 0.00017548)


def test_what_leaves_the_archive_after_thirty_days_is_billed_for_the_other_sixty() -> None:
    assert prices.early_deletion(100 * GB, 0, 30 * DAY) == pytest.approx(2 * 100 * 0.0036)
    assert prices.early_deletion(100 * GB, 0, timedelta(0)) == pytest.approx(3 * 100 * 0.0036)
    assert prices.early_deletion(100 * GB, 0, 90 * DAY) == 0
    assert prices.early_deletion(100 * GB, 0, 400 * DAY) == 0


def test_fifteen_million_objects_of_a_hundred_terabytes_come_back_as_amazon_works_it_out() -> None:
    # https://repost.aws/knowledge-center/s3-manage-data-retrieval: 750 + 1,024 dollars
    assert prices.retrieval(102_400 * GB, 15_000_000, "Standard") == pytest.approx(1_774)
    # the same page: 150,000 for requests; 102,400 x 0.03 for bytes
    assert prices.retrieval(102_400 * GB, 15_000_000, "Expedited") == pytest.approx(153_072)


def test_an_expedited_request_costs_two_hundred_times_a_standard_one() -> None:
    expedited, standard = (prices.retrieval(0, 4, tier) for tier in ("Expedited", "Standard"))
    assert expedited / standard == pytest.approx(200)


def test_calls_are_billed_by_the_thousand_and_messages_by_three_requests() -> None:
    assert prices.requests(puts=1000, gets=0, archivings=0) == pytest.approx(0.005)
    assert prices.requests(puts=0, gets=1000, archivings=0) == pytest.approx(0.0004)
    assert prices.requests(puts=0, gets=0, archivings=1000) == pytest.approx(0.03)
    assert prices.messages(1_000_000) == pytest.approx(1.2)


#: A job of a 1 GB file whose 2 GB of results were made just now.
MADE = Doings(
    input_bytes=GB,
    input_span=timedelta(0),
    input_parts=1,
    small_bytes=0,
    small_files=4,
    large_bytes=2 * GB,
    large_files=4,
    stays=(),
    retrievals=(),
    returns=0,
    claims=1,
    mails=1,
)


def test_a_job_that_was_archived_for_a_month_and_came_back_expedited() -> None:
    stays = (
        Stay(archived=False, span=3 * DAY, is_over=True),
        Stay(archived=True, span=MONTH, is_over=True),
        Stay(archived=False, span=6 * DAY, is_over=False),
    )
    cost = cost_of(
        replace(
            MADE,
            input_span=39 * DAY,
            stays=stays,
            retrievals=("Expedited",),
            returns=1,
            claims=6,
            mails=2,
        )
    )
    overhead = 4 * 32 * 1024 / GB
    assert cost.storage == pytest.approx(1.3 * 0.023 + 2 * 0.3 * 0.023)
    assert cost.archive == pytest.approx((2 + overhead) * 0.0036 + 4 * 8 * 1024 / GB * 0.023)
    assert cost.early_deletion == pytest.approx(2 * (2 + overhead) * 0.0036)
    assert cost.retrieval == pytest.approx(2 * 0.03 + 4 * 0.01)
    puts, gets, archivings = 1 + 4 + 4 * 2, 3 + 4 + 4 * 6, 4
    assert cost.requests == pytest.approx((puts * 5e-6) + gets * 4e-7 + archivings * 3e-5)
    assert cost.messages == pytest.approx(8 * 3 * 0.4e-6)
    assert cost.total == pytest.approx(
        cost.storage
        + cost.archive
        + cost.early_deletion
        + cost.retrieval
        + cost.requests
        + cost.messages
    )


def test_what_is_still_in_the_archive_is_not_billed_for_leaving_early() -> None:
    cost = cost_of(replace(MADE, stays=(Stay(archived=True, span=DAY, is_over=False),)))
    assert cost.early_deletion == 0
    assert cost.archive > 0


def test_a_job_that_did_nothing_costs_its_calls_alone() -> None:
    cost = cost_of(replace(MADE, large_files=0, large_bytes=0, small_files=0, claims=0, mails=0))
    assert cost.total == cost.requests == pytest.approx(5e-6 + 3 * 4e-7)


def test_where_files_lay_is_read_from_what_happened() -> None:
    noon = datetime(2030, 5, 4, 12, tzinfo=UTC)
    ways = [("", "queued"), ("queued", "running"), ("running", "completed")]
    ways += [("completed", "archiving"), ("archiving", "archiving"), ("archiving", "archived")]
    ways += [("archived", "thawing"), ("thawing", "restoring"), ("restoring", "completed")]
    events = [
        JobEvent(before=before, after=after, at=noon + number * DAY)
        for number, (before, after) in enumerate(ways)
    ]
    assert costs.stays_of(events, noon + 10 * DAY) == [
        Stay(archived=False, span=3 * DAY, is_over=True),
        Stay(archived=True, span=3 * DAY, is_over=True),
        Stay(archived=False, span=2 * DAY, is_over=False),
    ]
    assert costs.stays_of(events[:2], noon) == []


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf()
    made.use(monkeypatch)
    return made


@pytest.mark.django_db
def test_an_archived_job_costs_by_its_rows_and_says_what_deleting_it_now_would(
    owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.ARCHIVED, owner=owner, shelf=shelf, ago=10 * DAY)
    ResultFile.objects.filter(job=job, kind="vcf").update(size=100 * GB)
    ((_, cost),) = costs.of_jobs(Job.objects.filter(pk=job.pk))
    assert cost.so_far.archive == pytest.approx(100 * 0.0036 / 3, rel=0.01)
    assert cost.to_delete_now == pytest.approx(100 * 0.0036 * 80 / 30, rel=0.01)
    assert cost.monthly == pytest.approx(100 * 0.0036, rel=0.01)


@pytest.mark.django_db
def test_an_input_is_borne_by_the_first_of_its_jobs(owner: User, shelf: Shelf) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    again = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    again.upload = job.upload
    again.save()
    now = timezone.now()
    first, second = costs.with_doings(Job.objects.order_by("pk"))
    assert costs.doings_of(first, now).input_bytes == job.upload.size
    assert costs.doings_of(second, now).input_bytes == 0


@pytest.mark.django_db
def test_accounts_are_counted_with_what_they_keep(
    owner: User, stranger: User, shelf: Shelf
) -> None:
    job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    archived = job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    ResultFile.objects.filter(job=archived, kind="vcf").update(size=BILLION)
    assert usage.count() == User.objects.count()
    row = Usage.objects.get(pk=owner.pk)
    asleep = ResultFile.objects.exclude(archive_id="")
    assert (row.jobs, row.input_bytes) == (2, 2 * 48_211)
    assert (row.archived_files, row.archived_bytes) == (4, sum(file.size for file in asleep))
    assert row.result_bytes == sum(f.size for f in ResultFile.objects.filter(archive_id=""))
    dollars = prices.monthly(
        at_hand=row.input_bytes + row.result_bytes,
        in_archive=row.archived_bytes,
        files_in_archive=4,
    )
    assert row.monthly_microdollars == round(dollars * 1_000_000) > 3000
    assert Usage.objects.get(pk=stranger.pk).monthly_microdollars == 0


@pytest.mark.django_db
def test_a_count_is_good_for_a_while_and_the_oldest_is_renewed_first(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage.count()
    assert usage.count() == 0
    Usage.objects.filter(user=owner).update(counted_at=timezone.now() - 2 * usage.GOOD_FOR)
    Usage.objects.filter(user=stranger).update(counted_at=timezone.now() - 3 * usage.GOOD_FOR)
    monkeypatch.setattr(usage, "MOST", 1)
    assert usage.count() == 1
    oldest = Usage.objects.order_by("counted_at").first()
    assert oldest is not None
    assert oldest.user == owner


@pytest.mark.django_db
def test_an_account_that_goes_while_it_is_counted_has_no_count(owner: User) -> None:
    usage.count_these([owner.pk, owner.pk + 1000])
    assert list(Usage.objects.values_list("pk", flat=True)) == [owner.pk]
