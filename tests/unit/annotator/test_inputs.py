import gzip
import hashlib
from pathlib import Path

import pytest

from annotator import inputs
from annotator.bgzf import EOF_BLOCK
from annotator.errors import InputRefused
from annotator.inputs import Input, whole_lines
from annotator.sniff import Format


def stored(folder: Path, content: bytes) -> Path:
    path = folder / "input"
    path.write_bytes(content)
    return path


def test_blocks_hold_whole_lines_and_lose_nothing(tmp_path: Path) -> None:
    text = b"".join(b"line %d\n" % at for at in range(400_000))
    blocks = list(Input(stored(tmp_path, text), Format.VCF).lines())
    assert len(blocks) > 1
    assert all(block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks) == text


def test_a_last_line_without_a_newline_gets_one() -> None:
    assert list(whole_lines(iter([b"a\nb"]))) == [b"a\nb\n"]


def test_members_of_a_gzip_are_read_one_after_the_other(tmp_path: Path) -> None:
    packed = b"".join(gzip.compress(b"part %d\n" % at) for at in range(100))
    text = b"".join(Input(stored(tmp_path, packed), Format.GZIP).lines())
    assert text == b"".join(b"part %d\n" % at for at in range(100))


def test_a_piece_larger_than_the_step_comes_out_whole(tmp_path: Path) -> None:
    text = b"x" * (5 * inputs.BLOCK_BYTES) + b"\n"
    pieces = Input(stored(tmp_path, gzip.compress(text)), Format.GZIP).pieces()
    assert b"".join(pieces) == text


def test_size_and_digest_are_those_of_the_file(tmp_path: Path) -> None:
    packed = gzip.compress(b"a line\n" * 1000)
    source = Input(stored(tmp_path, packed), Format.GZIP)
    assert list(source.lines())
    assert source.bytes == len(packed)
    assert source.sha256 == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize("cut", [1, 8, 9, 20])
def test_a_truncated_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b"".join(b"line %d\n" % at for at in range(1000)))
    with pytest.raises(InputRefused, match="truncated"):
        list(Input(stored(tmp_path, packed[:-cut]), Format.GZIP).lines())


def test_bytes_behind_the_gzip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="corrupt"):
        list(Input(stored(tmp_path, gzip.compress(b"a\n") + b"junk"), Format.GZIP).lines())


def test_a_bgzf_must_end_with_its_end_block(tmp_path: Path) -> None:
    packed = gzip.compress(b"a\n")
    assert list(Input(stored(tmp_path, packed + EOF_BLOCK), Format.BGZF).lines())
    where = f"ends at byte {len(packed)} without the BGZF end-of-file block"
    with pytest.raises(InputRefused, match=where):
        list(Input(stored(tmp_path, packed), Format.BGZF).lines())


def test_a_line_over_the_cap_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "LINE_CAP", 2 * inputs.BLOCK_BYTES)
    long = [b"short\nshort\n", *[b"x" * inputs.BLOCK_BYTES] * 4]
    with pytest.raises(InputRefused, match=r"^line 3: longer than"):
        list(whole_lines(iter(long)))


def test_a_ratio_over_the_cap_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "RATIO_FROM", inputs.BLOCK_BYTES)
    bomb = stored(tmp_path, gzip.compress(b"\n" * (4 * inputs.BLOCK_BYTES)))
    with pytest.raises(InputRefused, match="400 times"):
        list(Input(bomb, Format.GZIP).lines())


def test_a_small_file_may_be_as_regular_as_it_likes(tmp_path: Path) -> None:
    regular = stored(tmp_path, gzip.compress(b"0/0\t" * 500_000 + b"\n"))
    assert list(Input(regular, Format.GZIP).lines())
