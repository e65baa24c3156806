from pathlib import Path

from annotator.bundles import DEMO, load
from annotator.shards import Cutter, Shard
from tests.unit.annotator.samples import row

HEADER = b"#header\n"


def shards(folder: Path, *blocks: str, size: int) -> list[tuple[tuple[str, ...], str]]:
    """Cut blocks; return the names and the records of each shard."""
    found: list[Shard] = []
    with Cutter(folder, HEADER, load(DEMO).names(), found.append, size=size) as cutter:
        for block in blocks:
            cutter.add(block.encode())
        cutter.finish()
    assert [shard.number for shard in found] == list(range(len(found)))
    texts = [shard.text.read_bytes().removeprefix(HEADER).decode() for shard in found]
    return [(shard.names, text) for shard, text in zip(found, texts, strict=True)]


def test_nothing_makes_one_empty_shard(tmp_path: Path) -> None:
    assert shards(tmp_path, size=100) == [((), "")]


def test_a_cut_never_parts_one_position(tmp_path: Path) -> None:
    positions = [1, 2, 2, 2, 2, 2, 3, 4]
    block = "".join(row("MT", position, "G", "A") for position in positions)
    found = shards(tmp_path, block, size=40)
    assert "".join(text for _, text in found) == block
    held = [{line.split("\t")[1] for line in text.splitlines()} for _, text in found]
    assert len(found) > 1
    assert sum(map(len, held)) == len(set(positions))


def test_contigs_with_genes_stand_alone_and_others_share(tmp_path: Path) -> None:
    rows = [row(name, 1, "G", "A") for name in ("16", "a", "b", "MT")]
    assert [names for names, _ in shards(tmp_path, "".join(rows), size=10_000)] == [
        ("16",),
        ("a", "b"),
        ("MT",),
    ]


def test_blocks_are_joined_up_to_the_size(tmp_path: Path) -> None:
    rows = [row("MT", at, "G", "A") for at in range(1, 5)]
    assert [text for _, text in shards(tmp_path, *rows, size=10_000)] == ["".join(rows)]
