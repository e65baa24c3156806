from collections.abc import Sequence

import pytest

from annotator.blame import LAST_INDEXED, blame
from annotator.errors import InputRefused


def record(info: str = ".", *samples: str) -> bytes:
    return "\t".join(["MT", "1", ".", "G", "A", ".", ".", info, *samples]).encode()


def complain(lines: Sequence[bytes]) -> str | None:
    return "it is bad" if b"bad" in b"".join(lines) else None


@pytest.mark.parametrize("at", [0, 1, 49, 50, 98, 99])
def test_the_first_bad_line_is_found_by_halving(at: int) -> None:
    lines = [record()] * 100
    lines[at] = record("bad")
    asked = list[int]()

    def counting(some: Sequence[bytes]) -> str | None:
        asked.append(len(some))
        return complain(some)

    refusal = blame([(range(5, 105), lines), ([200], [record("bad")])], counting)
    assert str(refusal) == f"line {5 + at}: it is bad."
    assert len(asked) < 12


def test_a_bad_header_is_told_apart() -> None:
    assert str(blame([], lambda _: "it is bad")) == "The header cannot be read: it is bad."


def test_nobody_is_blamed_for_what_no_line_does_alone() -> None:
    numbered = [([1, 2], [record(), record()])]
    assert blame(numbered, lambda lines: "too many" if len(lines) > 1 else None) is None
    assert blame(numbered, lambda _: None) is None


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (record(f"END={LAST_INDEXED + 1}"), "END"),
        (record("DP=1;END=99999999999999999"), "END"),
        (record("SVLEN=-900000000"), "SVLEN"),
        (record(".", "GT:LEN", "0/0:5", "0/0:900000000"), "LEN"),
    ],
)
def test_what_reaches_further_than_an_index_is_named(line: bytes, field: str) -> None:
    with pytest.raises(InputRefused, match=rf"^line 6: {field} reaches beyond any contig\.$"):
        blame([([5, 6], [record(f"END={LAST_INDEXED};XEND=9999999999"), line])], lambda _: None)
