from pathlib import Path

import pytest

from annotator.sites import APART, INDEXED, sites_of
from tests.unit.annotator.samples import row, write


def regions(folder: Path, *rows: str) -> list[str] | None:
    """Return the lines that bcftools would read; None where it should read everything."""
    target = folder / "regions"
    told = sites_of(write(folder, *rows)).write_regions(target, {b"chrM": b"MT"})
    return target.read_text().splitlines() if told else None


def test_records_near_each_other_are_one_region_and_names_are_swapped(tmp_path: Path) -> None:
    rows = [row("16", 7, "A", "C"), row("16", 7 + APART, "A", "C"), row("chrM", 9, "A", "C")]
    assert regions(tmp_path, *rows) == [f"16\t7\t{7 + APART}", "MT\t9\t9"]


def test_a_long_stretch_without_records_is_left_out(tmp_path: Path) -> None:
    rows = [row("16", 7, "A", "C"), row("16", 8 + APART, "A", "C")]
    assert regions(tmp_path, *rows) == ["16\t7\t7", f"16\t{8 + APART}\t{8 + APART}"]


@pytest.mark.parametrize("position", [0, INDEXED])
def test_a_place_that_no_index_has_is_not_asked_for(tmp_path: Path, position: int) -> None:
    assert regions(tmp_path, row("16", position, "A", "C")) is None


def test_without_records_there_is_nothing_to_ask_for(tmp_path: Path) -> None:
    assert regions(tmp_path) is None


@pytest.mark.parametrize(
    ("record", "plain"),
    [
        (row("16", 7, "A", "C,g"), True),
        (row("16", 7, "A", "C,*"), False),
        (row("16", 7, "A", "."), False),
        (row("16", 7, "A", "C", "GAS_SKIP=ref_mismatch"), False),
    ],
)
def test_one_odd_record_makes_a_shard_odd(tmp_path: Path, record: str, plain: bool) -> None:
    assert sites_of(write(tmp_path, row("16", 7, "A", "C"), record)).plain is plain


def test_a_byte_that_is_no_text_is_no_base(tmp_path: Path) -> None:
    shard = write(tmp_path, row("16", 7, "A", "CC"))
    shard.write_bytes(shard.read_bytes().replace(b"CC", b"C\xff"))
    assert not sites_of(shard).plain
