"""Records put into order with bounded memory: sorted runs on disk, then merged. No byte changes."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from heapq import merge
from operator import itemgetter
from pathlib import Path

from annotator.errors import InputRefused

RUN_BYTES = 16 << 20  # of text; as Python objects with their keys three times that
RUNS = 48  # files open at once
BLOCK_LINES = 4096

Keyed = tuple[int, bytes]  # where a line belongs, and the line with its newline
_KEY = itemgetter(0)


class Sorter:
    """Sorts by `ranks` of the contigs, then by position; what is equal keeps its order."""

    def __init__(self, ranks: Mapping[bytes, int], folder: Path, *, crowd: int) -> None:
        self._ranks, self._folder, self._crowd = ranks, folder, crowd
        self._runs: list[Path] = []
        self._written = 0

    def sorted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield blocks of whole lines in order; InputRefused when too many share a position."""
        held = list[Keyed]()
        size = 0
        for block in blocks:
            held += map(self._keyed, block.splitlines(keepends=True))
            size += len(block)
            if size >= RUN_BYTES:
                self._store(sorted(held, key=_KEY))
                held, size = [], 0
        held.sort(key=_KEY)
        with ExitStack() as files:
            yield from self._blocks(merge(*self._opened(files), held, key=_KEY))

    def _keyed(self, line: bytes) -> Keyed:
        contig, position, _ = line.split(b"\t", 2)
        return self._ranks[contig] << 32 | int(position), line

    def _store(self, lines: Iterable[Keyed]) -> None:
        """Write a run; when there are many, make them one."""
        self._written += 1
        run = self._folder / f"run-{self._written}"
        with run.open("wb") as file:
            file.writelines(line for _, line in lines)
        self._runs.append(run)
        if len(self._runs) == RUNS:
            with ExitStack() as files:
                several = self._opened(files)
                self._runs = []
                self._store(merge(*several, key=_KEY))

    def _opened(self, files: ExitStack) -> list[Iterator[Keyed]]:
        """Open the runs, whose names may go at once."""
        opened = [files.enter_context(run.open("rb")) for run in self._runs]
        for run in self._runs:
            run.unlink()
        return [map(self._keyed, file) for file in opened]

    def _blocks(self, lines: Iterator[Keyed]) -> Iterator[bytes]:
        held, before, together = list[bytes](), -1, 0
        for key, line in lines:
            together = together + 1 if key == before else 1
            if together > self._crowd:
                place = ":".join(cell.decode(errors="replace") for cell in line.split(b"\t", 2)[:2])
                raise InputRefused(f"More than {self._crowd} records at one position, {place}.")
            before = key
            held.append(line)
            if len(held) == BLOCK_LINES:
                yield b"".join(held)
                held = []
        yield b"".join(held)
