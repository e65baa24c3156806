import random
from pathlib import Path

import pytest

from annotator import order
from annotator.errors import InputRefused
from annotator.order import Sorter

RANKS = {b"b": 0, b"a": 1}


def shuffled(count: int, positions: int) -> list[bytes]:
    dice = random.Random(1)
    return [
        b"%s\t%d\tline %d\n" % (dice.choice(list(RANKS)), dice.randint(1, positions), at)
        for at in range(count)
    ]


def in_order(folder: Path, lines: list[bytes], crowd: int = 1000) -> list[bytes]:
    blocks = (b"".join(lines[at : at + 100]) for at in range(0, len(lines), 100))
    text = b"".join(Sorter(RANKS, folder, crowd=crowd).sorted(blocks))
    return text.splitlines(keepends=True)


@pytest.mark.parametrize("run_bytes", [1 << 20, 5000, 500])
def test_records_come_by_contig_and_position_and_what_is_equal_as_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_bytes: int
) -> None:
    monkeypatch.setattr(order, "RUN_BYTES", run_bytes)
    monkeypatch.setattr(order, "RUNS", 4)  # so that runs are merged to runs
    lines = shuffled(6000, 40)
    wanted = sorted(lines, key=lambda line: (RANKS[line[:1]], int(line.split(b"\t")[1])))
    assert in_order(tmp_path, lines) == wanted
    assert list(tmp_path.iterdir()) == []


def test_no_more_is_held_than_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "RUN_BYTES", 5000)
    stored = list[int]()
    write = Sorter._store

    def counted(self: Sorter, lines: list[order.Keyed]) -> None:
        stored.append(sum(len(line) for _, line in lines))
        write(self, lines)

    monkeypatch.setattr(Sorter, "_store", counted)
    in_order(tmp_path, shuffled(3000, 40))
    assert len(stored) > 5
    assert max(stored) < 10_000


def test_a_crowd_at_one_position_is_refused(tmp_path: Path) -> None:
    lines = [*shuffled(500, 400), *[b"a\t7\tx\n"] * 30]
    with pytest.raises(InputRefused, match=r"^More than 30 records at one position, a:7\.$"):
        in_order(tmp_path, [*lines, b"a\t7\ty\n"], crowd=30)
