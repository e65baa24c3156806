"""The screened records cut into shards: files of their own that workers annotate side by side.

Where a cut falls depends on the records alone, never on the number of workers, so that the results
are the same bytes with any number. No cut parts the records of one position.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from annotator.bundles import Contig

SHARD_BYTES = 10 << 20  # text; a shard costs one reading of its contig's genes, and memory


@dataclass(frozen=True)
class Shard:
    """Records on one contig with genes, or on neighbours without any; `names` as written."""

    number: int
    text: Path
    names: tuple[str, ...]
    contig: Contig | None


class Cutter:
    """Takes sorted blocks of whole lines and hands on each shard as soon as it is complete."""

    def __init__(
        self,
        folder: Path,
        header: bytes,
        known: Mapping[bytes, Contig],
        give: Callable[[Shard], None],
        *,
        size: int,
    ) -> None:
        self._folder, self._header, self._known, self._give = folder, header, known, give
        self._size, self._number = size, 0
        self._file: BinaryIO | None = None
        self._names: dict[bytes, None] = {}
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, block: bytes) -> None:
        """Take some records."""
        for name, text in _by_contig(block):
            self._change_to(name)
            start = 0
            while self._written + len(text) - start >= self._size:
                room = max(0, self._size - self._written)
                end = _cut(text, start + room, start)
                if end is None:
                    break
                self._write(name, text[start:end])
                self.close()
                start = end
            self._write(name, text[start:])

    def close(self) -> None:
        """Hand on what is held."""
        if self._file is None:
            return
        self._file.close()
        names = tuple(name.decode(errors="surrogateescape") for name in self._names)
        contig = _with_genes(self._known.get(next(iter(self._names), b"")))
        self._give(Shard(self._number, Path(self._file.name), names, contig))
        self._file, self._written, self._names = None, 0, {}
        self._number += 1

    def finish(self) -> None:
        """Hand on the last shard; there is at least one, if only with a header."""
        self.close()
        if self._number == 0:
            self._open()
            self.close()

    def _change_to(self, name: bytes) -> None:
        if self._file is None or name in self._names:
            return
        mine = _with_genes(self._known.get(next(iter(self._names))))
        if mine is not None or _with_genes(self._known.get(name)) is not None:
            self.close()

    def _write(self, name: bytes, text: bytes) -> None:
        if not text:
            return
        file = self._file or self._open()
        self._names[name] = None
        file.write(text)
        self._written += len(text)

    def _open(self) -> BinaryIO:
        self._file = (self._folder / f"shard-{self._number}.vcf").open("wb")
        self._file.write(self._header)
        return self._file


def _with_genes(contig: Contig | None) -> Contig | None:
    return contig if contig and contig.genes else None


def _by_contig(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the block's records by runs of one contig."""
    if not block:
        return
    first = block[: block.index(b"\t")]
    last = block[block.rfind(b"\n", 0, -1) + 1 :].partition(b"\t")[0]
    if first == last:
        yield first, block
        return
    lines = block.split(b"\n")[:-1]
    for name, group in groupby(lines, key=lambda line: line[: line.index(b"\t")]):
        yield name, b"".join(line + b"\n" for line in group)


def _cut(text: bytes, at: int, start: int) -> int | None:
    """Return where the first position ends whose records begin at or behind `at`."""
    line = text.rfind(b"\n", start, max(start, at)) + 1 or start
    while (end := text.find(b"\n", line)) >= 0:
        position = b"\t".join(text[line:end].split(b"\t", 2)[:2]) + b"\t"
        line = end + 1
        if line < len(text) and not text.startswith(position, line):
            return line
    return None
