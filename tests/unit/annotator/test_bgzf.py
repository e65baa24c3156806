import gzip
import random
from pathlib import Path

import pysam
import pytest

from annotator.bgzf import BLOCK_BYTES, EOF_BLOCK, BgzfWriter

TEXTS = {
    "nothing": b"",
    "one line": b"chr16\t1\n",
    "one block exactly": b"x" * BLOCK_BYTES,
    "many blocks": b"".join(b"%d\n" % at for at in range(100_000)),
    "noise": random.Random(1).randbytes(3 * BLOCK_BYTES),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_written_is_read_by_gzip_and_by_htslib(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "text.gz"
    with BgzfWriter(path, 3) as file:
        for start in range(0, len(text), 10_000):
            file.write(text[start : start + 10_000])
    assert gzip.decompress(path.read_bytes()) == text
    with pysam.BGZFile(str(path), "r", None) as reader:
        assert reader.read(len(text) + 1) == text
    assert path.read_bytes().endswith(EOF_BLOCK)


def test_a_file_that_was_not_finished_has_no_end_block(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    with pytest.raises(KeyError):
        _break_off(path)
    assert not path.read_bytes().endswith(EOF_BLOCK)


def _break_off(path: Path) -> None:
    with BgzfWriter(path, 3) as file:
        file.write(b"x" * 3 * BLOCK_BYTES)
        raise KeyError
