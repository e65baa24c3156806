from pathlib import Path

import pyarrow as pa
import pytest

from annotator.bundles import DEMO, load
from annotator.columns import split_lines
from annotator.second_look import Allele, SecondLook, candidates
from annotator.sites import sites_of
from tests.unit.annotator.samples import row, write

NAMES = load(DEMO).names()
MT_5 = Allele(b"MT", b"5", b"A", b"C")


def alleles(folder: Path, *rows: str) -> list[tuple[str, str]]:
    """Return REF and ALT of the records that need a second look."""
    found = candidates(sites_of(write(folder, *rows)), NAMES)
    return [(allele.ref.decode(), allele.alt.decode()) for allele in found]


@pytest.mark.parametrize(
    ("ref", "alt"), [("TC", "TA"), ("ACA", "A"), ("A", "ACA"), ("TAC", "TGC"), ("AC", "ACT")]
)
def test_what_can_be_moved_or_trimmed_is_looked_up_again(
    tmp_path: Path, ref: str, alt: str
) -> None:
    assert alleles(tmp_path, row("MT", 5, ref, alt)) == [(ref, alt)]


@pytest.mark.parametrize(("ref", "alt"), [("A", "C"), ("AC", "A"), ("A", "AC"), ("AC", "GT")])
def test_what_is_as_short_and_left_as_it_goes_is_not(tmp_path: Path, ref: str, alt: str) -> None:
    assert alleles(tmp_path, row("MT", 5, ref, alt)) == []


def test_a_repeated_allele_is_looked_up_again_under_any_name(tmp_path: Path) -> None:
    rows = [row("MT", 5, "A", "C,G"), row("chrM", 5, "A", "C"), row("MT", 6, "A", "C")]
    assert alleles(tmp_path, *rows) == [("A", "C")]


def test_other_sequences_and_odd_alleles_are_left_alone(tmp_path: Path) -> None:
    rows = [row("MT", 5, "TC", "<DEL>"), row("MT", 5, "TN", "TT"), row("HLA", 5, "TC", "TA")]
    assert alleles(tmp_path, *rows) == []


@pytest.mark.parametrize(
    ("info", "becomes"),
    [
        (".", "GAS_KNOWN=rs1"),
        ("DP=3", "DP=3;GAS_KNOWN=rs1"),
        ("DP=3;BCSQ=x|y", "DP=3;GAS_KNOWN=rs1;BCSQ=x|y"),
        ("BCSQ=x|y", "GAS_KNOWN=rs1;BCSQ=x|y"),
        ("GAS_KNOWN=rs9;BCSQ=x|y", "GAS_KNOWN=rs9;BCSQ=x|y"),
        ("DP=3;GAS_SKIP=star", "DP=3;GAS_SKIP=star"),
    ],
)
def test_what_was_found_stands_before_the_consequences(info: str, becomes: str) -> None:
    look = SecondLook({MT_5: [(b"GAS_KNOWN", b"rs1")]}, NAMES, "BCSQ")
    lines = row("chrM", 5, "A", "C", info) + row("MT", 5, "A", "G", info)
    assert look.put_on(split_lines(lines.encode())).to_pylist() == [
        becomes.encode(),
        info.encode(),
    ]


def test_nothing_found_changes_nothing() -> None:
    columns = [pa.array([b"x"], pa.binary())] * 8
    assert SecondLook({}, NAMES, "BCSQ").put_on(columns) is columns[-1]
