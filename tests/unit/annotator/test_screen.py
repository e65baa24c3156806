from pathlib import Path

import pytest

from annotator import screen as module
from annotator.assembly import Reference
from annotator.bundles import DEMO, load
from annotator.errors import InputRefused
from annotator.screen import Screen, UndeclaredError, UnsortedError
from tests.unit.annotator.samples import row

BUNDLE = load(DEMO)
FIRST_LINE = 3


def screen(*, sorting: bool = False, extra: tuple[bytes, ...] = ()) -> Screen:
    return Screen(
        columns=8,
        first_line=FIRST_LINE,
        known=BUNDLE.names(),
        declared=frozenset([*BUNDLE.names(), *extra]),
        reference=Reference(BUNDLE),
        sorting=sorting,
    )


def screened(*rows: str) -> list[str]:
    """Return the INFO of each record after the screen."""
    text = screen(extra=(b"HLA",)).block("".join(rows).encode()).decode()
    return [line.split("\t")[7] for line in text.splitlines()]


def test_a_block_of_plain_records_passes_as_it_is() -> None:
    block = (row("MT", 1, "G", "A", "DP=3") + row("MT", 2, "A", "C,G")).encode()
    assert screen().block(block) == block


def test_lower_case_bases_agree_with_the_reference() -> None:
    assert screened(row("MT", 1, "g", "a")) == ["."]


@pytest.mark.parametrize(
    ("record", "info"),
    [
        (row("MT", 1, "G", "<DEL>"), "GAS_SKIP=symbolic"),
        (row("MT", 1, "G", "*", "DP=3"), "DP=3;GAS_SKIP=star"),
        (row("MT", 1, "G", "A[MT:90["), "GAS_SKIP=breakend"),
        (row("MT", 1, "G", "R"), "GAS_SKIP=iupac"),
        (row("MT", 1, "N", "A"), "GAS_SKIP=iupac"),
        (row("MT", 1, "nA", "G"), "GAS_SKIP=iupac"),
        (row("MT", 1, "NT", "G"), "GAS_SKIP=ref_mismatch"),
        (row("MT", 16569, "NN", "G"), "GAS_SKIP=ref_mismatch"),
        (row("MT", 1, "C", "A"), "GAS_SKIP=ref_mismatch"),
        (row("MT", 16569, "GG", "G"), "GAS_SKIP=ref_mismatch"),
        (row("MT", 20000, "G", "A"), "GAS_SKIP=ref_mismatch"),
        (row("MT", 0, "G", "A"), "GAS_SKIP=malformed"),
        (row("MT", 1, "G", "A-"), "GAS_SKIP=malformed"),
        (row("HLA", 1, "G", "A"), "GAS_SKIP=contig"),
        (row("16", 5000, "G", "A"), "GAS_SKIP=contig"),
    ],
)
def test_an_unsafe_record_is_flagged_and_else_unchanged(record: str, info: str) -> None:
    assert screened(record) == [info]


def test_a_record_with_one_safe_allele_is_left_to_the_split() -> None:
    assert screened(row("MT", 1, "G", "A,<DEL>")) == ["."]


def test_flags_and_fields_of_an_earlier_run_are_taken_off() -> None:
    old = "DP=3;BCSQ=x|y;GAS_CSQ=a;GAS_SKIP=<script>;GAS_TX"
    assert screened(row("MT", 1, "G", "A", old)) == ["DP=3"]


def test_a_ref_that_is_not_told_speaks_for_no_other_assembly() -> None:
    looking = screen()
    looking.block("".join(row("MT", 1, "N", "CAT") for _ in range(5)).encode())
    assert (looking.tally.mismatched, looking.tally.compared) == (0, 0)


def test_mismatches_count_only_where_the_reference_is_known() -> None:
    looking = screen()
    looking.block(
        (row("16", 5000, "G", "A") + row("MT", 1, "G", "A") + row("MT", 2, "C", "A")).encode()
    )
    assert (looking.tally.compared, looking.tally.mismatched) == (2, 1)


def test_rows_after_the_split_are_foretold() -> None:
    looking = screen()
    looking.block((row("MT", 1, "G", "A,C,T") + row("MT", 2, "A", "*,<DEL>")).encode())
    assert (looking.tally.records, looking.tally.rows) == (2, 4)


def test_windows_line_ends_and_empty_lines_vanish() -> None:
    text = row("MT", 1, "G", "A").replace("\n", "\r\n") + "\n" + row("MT", 2, "A", "C") + "\n"
    assert screen().block(text.encode()).decode() == row("MT", 1, "G", "A") + row("MT", 2, "A", "C")


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ("MT\tabc\t.\tG\tA\t.\t.\t.\n", "line 4: POS 'abc' is not a number."),
        ("MT\t\t.\tG\tA\t.\t.\t.\n", "line 4: POS '' is not a number."),
        ("MT\t1_0\t.\tG\tA\t.\t.\t.\n", "line 4: POS '1_0' is not a number."),
        ("MT\t-5\t.\tG\tA\t.\t.\t.\n", "line 4: POS '-5' is not a number."),
        ("MT\t3000000000\t.\tG\tA\t.\t.\t.\n", "line 4: POS lies beyond any contig."),
        ("MT\t99999999999\t.\tG\tA\t.\t.\t.\n", "line 4: POS '99999999999' is not a number."),
        ("MT\t1\t.\tG\n", "line 4: 4 columns, where the header has 8."),
        ("MT\t1\t.\tG\tA\t.\t.\t.\tGT\t0/1\n", "line 4: 10 columns, where the header has 8."),
        ("MT\t1\t.\tG\tA\t.\t.\t\0\n", "line 4: holds a NUL byte."),
        ("MT\t1\t.\tG\t" + "A," * 1000 + "C\t.\t.\t.\n", "line 4: more than 1000 ALT alleles."),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_by_its_number(record: str, sentence: str) -> None:
    with pytest.raises(InputRefused) as refused:
        screen().block((row("MT", 1, "G", "A") + record).encode())
    assert str(refused.value) == sentence


def test_line_numbers_go_on_over_blocks_and_empty_lines() -> None:
    looking = screen()
    looking.block((row("MT", 1, "G", "A") * 10 + "\n").encode())
    with pytest.raises(InputRefused, match=f"^line {FIRST_LINE + 13}: POS 'x'"):
        looking.block(("\n" + row("MT", 1, "G", "A") + "MT\tx\t.\tG\tA\t.\t.\t.\n").encode())


def test_columns_that_only_add_up_are_still_refused() -> None:
    with pytest.raises(InputRefused, match="line 3: 4 columns"):
        screen().block(
            ("MT\t1\t.\tG\n" + "\t".join(["MT", "1", ".", "G", "A", *"......."]) + "\n").encode()
        )


@pytest.mark.parametrize(
    "rows",
    [
        (row("MT", 2, "A", "C"), row("MT", 1, "G", "A")),
        (row("16", 290001, "C", "A"), row("MT", 1, "G", "A"), row("16", 290002, "C", "A")),
    ],
)
def test_records_out_of_order_ask_for_a_sort(rows: tuple[str, ...]) -> None:
    with pytest.raises(UnsortedError):
        screen().block("".join(rows).encode())
    assert screen(sorting=True).block("".join(rows).encode())


def test_order_is_watched_over_blocks() -> None:
    looking = screen()
    looking.block(row("MT", 2, "A", "C").encode())
    with pytest.raises(UnsortedError):
        looking.block(row("MT", 1, "G", "A").encode())


def test_a_contig_that_nobody_declared_asks_for_a_look() -> None:
    with pytest.raises(UndeclaredError):
        screen().block(row("chrUn_7", 1, "G", "A").encode())


def test_a_crowd_at_one_position_is_refused_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CROWD_CAP", 15)
    looking = screen()
    looking.block((row("MT", 1, "G", "A") * 10).encode())
    with pytest.raises(InputRefused, match="more than 15 records at one position"):
        looking.block((row("MT", 1, "G", "A") * 10).encode())


def test_unsorted_records_are_compared_each_with_its_own_bases(tmp_path: Path) -> None:
    places = [9000, 5, 16000, 300, 7]
    contig = BUNDLE.names()[b"chrM"]
    together = Reference(BUNDLE).bases(contig, places, [1, 2, 3, 4, 5])
    alone = [Reference(BUNDLE).bases(contig, [p], [n])[0] for n, p in enumerate(places, 1)]
    assert together == alone
