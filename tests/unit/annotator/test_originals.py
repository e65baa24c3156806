from pathlib import Path

import pytest

from annotator.errors import AnnotatorFailed
from annotator.originals import Originals

HEADER = b'##INFO=<ID=GAS_SKIP,Number=1,Type=String,Description="GAS_SKIP=why">\n#CHROM\tPOS\n'
PLAIN = b"MT\t1\tGAS_SKIP=no\tG\tA\t3\t.\tDP=1;XGAS_SKIP=star\tGT\tGAS_SKIP=x\n"
FIRST = b"MT\t2\t.\tA\t\t30.00\t.\tDP=007;GAS_SKIP=malformed\n"
SECOND = b"MT\t2\t.\tA\t<DEL>\t1e2\t.\tGAS_SKIP=symbolic\n"


def originals(folder: Path, *lines: bytes) -> Originals:
    shard = folder / "shard.vcf"
    shard.write_bytes(HEADER + b"".join(lines))
    known = Originals(shard)
    shard.unlink()
    return known


def test_flagged_records_are_put_back_over_blocks_and_no_others(tmp_path: Path) -> None:
    known = originals(tmp_path, PLAIN, FIRST, PLAIN, SECOND)
    changed = PLAIN.replace(b"\t3\t", b"\t4\t")
    assert known.put_back(changed) == changed
    first = FIRST.replace(b"\t\t", b"\t.\t").replace(b"30.00", b"30").replace(b"007", b"7")
    assert known.put_back(changed + first + changed) == changed + FIRST + changed
    assert known.put_back(SECOND.replace(b"1e2", b"100")) == SECOND


def test_another_record_in_its_place_is_our_failure(tmp_path: Path) -> None:
    with pytest.raises(AnnotatorFailed, match="order"):
        originals(tmp_path, FIRST, SECOND).put_back(SECOND)
    with pytest.raises(AnnotatorFailed, match="order"):
        originals(tmp_path, PLAIN).put_back(SECOND)


def test_a_position_loses_its_leading_zeros(tmp_path: Path) -> None:
    known = originals(tmp_path, SECOND.replace(b"\t2\t", b"\t002\t"))
    assert known.put_back(SECOND) == SECOND
