"""Digests agree with other implementations and do not depend on how the bytes arrive."""

import hashlib
import io
from pathlib import Path

import pytest
from botocore.handlers import add_glacier_checksums
from hypothesis import given
from hypothesis import strategies as st

from gas.storage.digests import (
    MIB,
    TreeHash,
    blocks,
    sha256_of_file,
    to_base64,
    to_hexadecimal,
)


class Dribble(io.BytesIO):
    """A stream that gives less than it is asked for, as sockets do."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 3))


def _botocore_tree_hash(content: bytes) -> str:
    headers: dict[str, str] = {}
    add_glacier_checksums({"headers": headers, "body": content})
    return headers["x-amz-sha256-tree-hash"]


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 5 * MIB + 7])
def test_the_tree_hash_is_the_one_botocore_computes(size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    tree = TreeHash()
    for block in blocks(io.BytesIO(content[:size]), 2 * MIB):
        tree.add(block)
    assert tree.hexdigest() == _botocore_tree_hash(content[:size])


@given(content=st.binary(max_size=200), size=st.integers(min_value=1, max_value=50))
def test_blocks_are_whole_however_the_bytes_arrive(content: bytes, size: int) -> None:
    found = list(blocks(Dribble(content), size))
    assert b"".join(found) == content
    assert all(len(block) == size for block in found[:-1])
    assert all(found)


def test_a_files_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc" * MIB)
    assert sha256_of_file(path) == hashlib.sha256(b"abc" * MIB).hexdigest()


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_survives_the_form_s3_wants(digest: bytes) -> None:
    assert to_hexadecimal(to_base64(digest.hex())) == digest.hex()
