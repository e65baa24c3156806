import pyarrow as pa
import pytest

from annotator.columns import ALT, INFO
from annotator.errors import InputRefused
from annotator.genotypes import check, some_out_of_range, told

CASES = [
    ("C", "GT", "0/1", True),
    ("C", "GT", "0/2", False),
    ("C", "GT", "2", False),
    ("C", "GT", "10|0", False),
    ("C", "GT", "01/00", True),
    ("C", "GT", "./.", True),
    ("C", "GT", "0/1/1", True),
    ("C", "GT", "0/1/1/3", False),
    ("C", "GT:DP", "0/1:22\t1|0:35", True),
    ("C", "GT:DP", "0/1:22\t1|2:35", False),
    ("C", "GT:PGT", "0/1:3|4", True),
    ("C", "DP", "35", True),
    ("C,G", "GT", "1/2", True),
    ("C,G", "GT", "1/3", False),
    ("C,G,<DEL>", "GT", "1/3", True),
    (".", "GT", "0/0\t./.", True),
    (".", "GT", "0/1", False),
    ("C", "DP:GT", "35:0/1", True),
    ("C", "DP:GT", "35:0/1\t22:2/0", False),
    ("C", "DP:GT:PGT", "35:0/1:3|4\t22", True),
    ("C", "DP:PGT", "35:3|4", True),
    ("C,G", "PGT:GT", "9|9:1/2\t3|4:1/3", False),
]


def seen_in_bulk(alt: str, info: str, shape: str, samples: str) -> bool:
    cells = ("MT", "1", ".", "G", alt, ".", ".", info, shape, samples)
    columns = [pa.array([cell.encode()], pa.binary()) for cell in cells]
    return some_out_of_range(columns[ALT], columns[INFO], told(columns))


@pytest.mark.parametrize(("alt", "shape", "samples", "is_sound"), CASES)
def test_a_genotype_beyond_alt_is_seen_in_bulk(
    alt: str, shape: str, samples: str, is_sound: bool
) -> None:
    assert seen_in_bulk(alt, ".", shape, samples) is not is_sound


@pytest.mark.parametrize(("alt", "shape", "samples", "is_sound"), CASES)
def test_a_genotype_beyond_alt_is_refused_with_its_line(
    alt: str, shape: str, samples: str, is_sound: bool
) -> None:
    line = f"MT\t1\t.\tG\t{alt}\t.\t.\t.\t{shape}\t{samples}".encode()
    if is_sound:
        check(7, line)
        return
    with pytest.raises(InputRefused, match=r"^line 7: GT '.+' names an allele that is not in ALT"):
        check(7, line)


def test_genotypes_are_told_wherever_they_stand() -> None:
    table = [
        [b"C", b"GT:DP", b"0/1:35\t1/1:22"],
        [b"C", b"DP:GT", b"35:0/1\t22"],
        [b"C", b"DP:PGT", b"35:0|1\t22:0|1"],
    ]
    alts, shapes, samples = (pa.array(column, pa.binary()) for column in zip(*table, strict=True))
    found = told([alts] * 8 + [shapes, samples])
    assert found.to_pylist() == ["0/1=1,1/1=1", "0/1=1,.=1", None]


def test_an_alt_that_was_empty_is_flagged_and_its_genotypes_are_left_alone() -> None:
    assert not seen_in_bulk(".", "GAS_SKIP=malformed", "GT", "1")
