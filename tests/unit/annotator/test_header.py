import pytest

from annotator.errors import InputRefused
from annotator.header import Header, Undeclared, read_header
from tests.unit.annotator.samples import COLUMNS

VERSION = "##fileformat=VCFv4.2\n"


def read(text: str) -> tuple[Header, bytes]:
    return read_header(iter([text.encode()]))


def test_records_stay_behind_when_the_header_is_taken_off() -> None:
    header, rest = read(f"{VERSION}{COLUMNS}\nfirst\nsecond\n")
    assert (header.lines, rest) == (2, b"first\nsecond\n")


def test_a_header_may_reach_over_blocks() -> None:
    blocks = iter([VERSION.encode(), b"##a=1\n", COLUMNS.encode() + b"\n", b"record\n"])
    header, rest = read_header(blocks)
    assert (header.lines, rest, next(blocks)) == (3, b"", b"record\n")


def test_contigs_and_definitions_are_known() -> None:
    lines = "##contig=<ID=chr16,length=90338345>\n##contig=<ID=b>\n##INFO=<ID=DP,Number=1>\n"
    header, _ = read(f"{VERSION}{lines}{COLUMNS}\n")
    assert header.contigs == {b"chr16": 90338345, b"b": None}
    assert (b"INFO", b"DP") in header.declared


def test_missing_contigs_are_declared_and_present_ones_kept() -> None:
    header, _ = read(f"{VERSION}##contig=<ID=16>\n{COLUMNS}\n")
    repaired = header.repaired([(b"16", 90), (b"MT", 16569)], Undeclared()).decode()
    assert repaired.count("<ID=16") == 1
    assert "##contig=<ID=MT,length=16569>\n" in repaired


def test_undeclared_names_get_a_line_of_their_kind() -> None:
    header, _ = read(f"{VERSION}{COLUMNS}\n")
    used = Undeclared((b"HLA",), (b"q10",), (b"GQ",), ((b"DB", False), (b"DP", True)))
    repaired = header.repaired([], used).decode()
    for line in (
        "##contig=<ID=HLA>",
        "##FILTER=<ID=q10,",
        "##FORMAT=<ID=GQ,",
        "##INFO=<ID=DB,Number=0,Type=Flag,",
        "##INFO=<ID=DP,Number=.,Type=String,",
    ):
        assert line in repaired


def test_our_own_fields_of_an_earlier_run_are_not_declared_twice() -> None:
    own = '##INFO=<ID=GAS_SKIP,Number=1,Type=Integer,Description="x">\n##INFO=<ID=BCSQ,Number=.>\n'
    header, _ = read(f"{VERSION}{own}{COLUMNS}\n")
    repaired = header.repaired([], Undeclared()).decode()
    assert repaired.count("ID=GAS_SKIP") == 1
    assert "ID=BCSQ" not in repaired


def test_windows_line_ends_are_taken_off() -> None:
    header, _ = read(f"{VERSION}{COLUMNS}\n".replace("\n", "\r\n"))
    assert header.columns[-1] == b"INFO"
    assert b"\r" not in header.repaired([], Undeclared())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (VERSION, "no #CHROM line"),
        (f"{VERSION}16\t1\n", "line 2: a record stands before"),
        (f"{VERSION}{COLUMNS.replace(chr(9), ' ')}\n", "line 2: the column line must be"),
        (f"{VERSION}{COLUMNS}\tSAMPLE\n", "line 2: the column line must be"),
        (f"{VERSION}{COLUMNS}\tFORMAT\tA\tA\n", "line 2: a sample name stands there twice"),
        (f"{VERSION}##x=\0\n{COLUMNS}\n", "line 2: the header holds a NUL byte"),
    ],
)
def test_a_broken_header_is_refused_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(InputRefused, match=sentence):
        read(text)
