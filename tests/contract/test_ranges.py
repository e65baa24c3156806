"""Parts of an object, and a whole table read by its parts, over HTTP."""

from collections.abc import Callable

import pytest

from dev.local_aws import LocalAws
from gas.results.filters import Filter
from gas.results.table import Deadline, Table
from gas.results.variants import page
from gas.storage.errors import ObjectMissing, StorageUnavailable
from gas.storage.locations import results
from gas.storage.ranges import RangedObject
from tests.contract.conftest import Publish
from tests.tables import parquet, sample


def test_bytes_are_read_by_their_place(publish: Publish) -> None:
    stored = publish(b"0123456789")
    ranged = RangedObject(stored.location, stored.size)
    assert [ranged.read(2, 3), ranged.read(9, 1), ranged.read(4, 0)] == [b"234", b"9", b""]


def test_a_table_is_read_where_it_lies(publish: Publish) -> None:
    stored = publish(parquet(sample(), group=90))
    table = Table(RangedObject(stored.location, stored.size))
    found = page(table, Filter(), until=Deadline.within(60))
    assert found.count.rows == len(sample())


def test_what_is_not_there_is_missing(aws: LocalAws) -> None:
    with pytest.raises(ObjectMissing):
        RangedObject(results("results/0/0/nothing"), 100).read(0, 10)


def test_a_store_out_of_reach_is_unavailable(lead_to: Callable[[str], None]) -> None:
    lead_to("http://127.0.0.1:9")
    with pytest.raises(StorageUnavailable):
        RangedObject(results("results/0/0/nothing"), 100).read(0, 10)
