import pyarrow as pa
import pytest

from annotator.columns import split_lines
from annotator.errors import AnnotatorFailed
from annotator.records import Records
from annotator.sites import APART, INDEXED, answers, as_numbers, regions, sites_of
from tests.unit.annotator.samples import row


def block(*rows: str, flagged: list[bool] | None = None) -> Records:
    columns = split_lines("".join(rows).encode())
    return Records(columns, pa.array(flagged) if flagged else None, reaching=False)


def near(*rows: str) -> list[str] | None:
    """Return the lines that bcftools would read; None where it should read everything."""
    sites, _ = sites_of([block(*rows)] if rows else [])
    contigs, positions, *_ = sites.alleles
    found = regions(contigs, as_numbers(positions))
    return None if found is None else found.decode().splitlines()


def test_records_near_each_other_are_one_region() -> None:
    rows = [row("16", 7, "A", "C"), row("16", 7 + APART, "A", "C"), row("MT", 9, "A", "C")]
    assert near(*rows) == [f"16\t7\t{7 + APART}", "MT\t9\t9"]


def test_a_long_stretch_without_records_is_left_out() -> None:
    rows = [row("16", 7, "A", "C"), row("16", 8 + APART, "A", "C")]
    assert near(*rows) == ["16\t7\t7", f"16\t{8 + APART}\t{8 + APART}"]


@pytest.mark.parametrize("position", [0, INDEXED])
def test_a_place_that_no_index_has_is_not_asked_for(position: int) -> None:
    assert near(row("16", position, "A", "C")) is None


def test_without_records_there_is_nothing_to_ask_for() -> None:
    assert near() is None


def test_a_repeated_allele_is_one_site_over_all_blocks() -> None:
    first = block(row("16", 7, "A", "C"), row("16", 7, "A", "G"), row("16", 7, "A", "C"))
    sites, numbers = sites_of([first, block(row("16", 7, "A", "G"), row("MT", 7, "A", "C"))])
    assert len(sites.lines) == 3
    assert [some.to_pylist() for some in numbers] == [[0, 1, 0], [1, 2]]


@pytest.mark.parametrize("alt", ["*", ".", "<DEL>", "N", "A", "C\udcff"])
def test_what_is_no_change_of_bases_is_no_site(alt: str) -> None:
    lines = (row("16", 7, "A", alt) + row("16", 8, "A", "c")).encode(errors="surrogateescape")
    sites, (numbers,) = sites_of([Records(split_lines(lines), None, reaching=False)])
    assert numbers.to_pylist() == [None, 0]
    assert sites.lines.to_pylist() == [b"16\t8\t.\tA\tc\t.\t.\t.\n"]


def test_a_flagged_record_is_no_site() -> None:
    rows = [row("16", 7, "A", "C"), row("16", 8, "A", "C")]
    _, (numbers,) = sites_of([block(*rows, flagged=[True, False])])
    assert numbers.to_pylist() == [None, 0]


def test_answers_are_of_the_sites_that_were_asked_for() -> None:
    rows = [row("16", 7, "A", "C", "X=1"), row("16", 8, "A", "C")]
    sites, _ = sites_of([block(*rows)])
    told = "".join(rows).encode()
    assert answers([told], sites).to_pylist() == [b"X=1", b"."]
    for wrong in (told.replace(b"\t8\t", b"\t9\t"), told[: len(rows[0])], told + told):
        with pytest.raises(AnnotatorFailed, match="other alleles"):
            answers([wrong], sites)
