"""The Parquet table of a job, read a row group at a time: only what is asked for, from its place.

Every text column is read as codes with a dictionary, so that a group takes about as much memory as
it takes bytes in the file, however long its cells are and however often they are repeated.
"""

import io
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, islice
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gas.results.errors import TooSlow, TooWide, Unreadable

#: Bytes that one row group's columns may take, as they are coded in the file.
WIDEST = 64 << 20
#: Compressed bytes fetched ahead, and requests at a time.
AHEAD, AT_ONCE = 16 << 20, 8
#: Bytes between two columns that are rather fetched than asked for apart.
HOLE = 256 << 10
#: Bytes at the end of the file that hold the footer of most.
TAIL = 256 << 10
_LENGTH_AND_MAGIC = 8

Cells = Mapping[str, pa.Array]


class Ranges(Protocol):
    """A file whose bytes are asked for by their place."""

    @property
    def size(self) -> int:
        """Bytes of the whole."""

    def read(self, start: int, length: int, /) -> bytes:
        """Return `length` bytes from byte `start` on."""


@dataclass(frozen=True)
class Deadline:
    """The moment at which a question is given up, by the monotonic clock."""

    at: float

    @classmethod
    def within(cls, seconds: float) -> "Deadline":
        """Return the moment so many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def passed(self) -> bool:
        """Whether it is too late."""
        return time.monotonic() > self.at

    def check(self) -> None:
        """Raise TooSlow when it is too late."""
        if self.passed:
            raise TooSlow


@dataclass(frozen=True)
class Bounds:
    """What the footer tells of one column in one row group; `least` is None where it does not."""

    least: Any
    most: Any
    empty: int | None
    rows: int


BoundsOf = Callable[[str], Bounds]


@dataclass(frozen=True)
class Group:
    """Some columns of one row group; `first` is the number of its first row in the table."""

    first: int
    rows: int
    cells: Cells


@dataclass
class _Pieces(io.RawIOBase):
    """The parts of a file that are at hand, as a file."""

    size: int
    parts: list[tuple[int, bytes]] = field(default_factory=list)
    place: int = 0

    def read(self, size: int | None = -1, /) -> bytes:
        for start, content in self.parts:
            if start <= self.place < start + len(content):
                within = self.place - start
                end = len(content) if size is None or size < 0 else within + size
                found = content[within:end]
                self.place += len(found)
                return found
        return b""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


class Table:
    """A table of results; the footer is read at once, rows when they are asked for."""

    def __init__(self, source: Ranges) -> None:
        self._source = source
        self._tail = _footer(source)
        with _readable():
            self._footer = pq.read_metadata(_Pieces(source.size, [self._tail]))
        self.schema: pa.Schema = self._footer.schema.to_arrow_schema()
        self.rows: int = self._footer.num_rows
        self._at = {name: number for number, name in enumerate(self.schema.names)}
        sizes = [self._footer.row_group(at).num_rows for at in range(self._footer.num_row_groups)]
        self.firsts = list(accumulate(sizes, initial=0))[:-1]

    def group_of(self, row: int) -> int:
        """Return the number of the row group that holds a row."""
        return bisect_right(self.firsts, row) - 1

    def groups_where(self, may_hold: Callable[[BoundsOf], bool]) -> list[int]:
        """Return the row groups that the footer does not rule out."""
        return [
            at
            for at in range(len(self.firsts))
            if self._footer.row_group(at).num_rows and may_hold(partial(self._bounds, at))
        ]

    def read(
        self, groups: Iterable[int], columns: Iterable[str], until: Deadline
    ) -> Iterator[Group]:
        """Yield row groups in the order asked for; raises TooSlow, TooWide, Unreadable."""
        wanted = sorted({*columns} & {*self._at}, key=self._at.__getitem__)
        left = iter(groups)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            while batch := self._batch(left, wanted):
                until.check()
                fetched = list(threads.map(lambda at: self._fetch(at, wanted), batch))
                for number, parts in zip(batch, fetched, strict=True):
                    until.check()
                    yield self._group(number, parts, wanted)

    def _batch(self, left: Iterator[int], wanted: Sequence[str]) -> list[int]:
        """Take the groups to fetch next: one, and more as long as they are small."""
        batch, size = [], 0
        for number in islice(left, AT_ONCE):
            batch.append(number)
            size += sum(end - start for start, end in self._places(number, wanted))
            if size * 2 > AHEAD:
                break
        return batch

    def _places(self, number: int, wanted: Sequence[str]) -> list[tuple[int, int]]:
        """Return where the columns of a row group lie, neighbours together."""
        group = self._footer.row_group(number)
        columns = [group.column(self._at[name]) for name in wanted]
        if sum(column.total_uncompressed_size for column in columns) > WIDEST:
            raise TooWide
        places: list[tuple[int, int]] = []
        for column in columns:
            start = column.dictionary_page_offset or column.data_page_offset
            end = start + column.total_compressed_size
            if places and start - places[-1][1] <= HOLE:
                start = places.pop()[0]
            places.append((start, end))
        return places

    def _fetch(self, number: int, wanted: Sequence[str]) -> list[tuple[int, bytes]]:
        return [
            (start, self._source.read(start, end - start))
            for start, end in self._places(number, wanted)
        ]

    def _group(self, number: int, parts: list[tuple[int, bytes]], wanted: Sequence[str]) -> Group:
        texts = [name for name in wanted if pa.types.is_string(self.schema.field(name).type)]
        with _readable():
            file = pq.ParquetFile(
                _Pieces(self._source.size, parts), metadata=self._footer, read_dictionary=texts
            )
            table = file.read_row_group(number, columns=list(wanted), use_threads=False)
        cells = {name: table.column(name).combine_chunks() for name in wanted}
        return Group(self.firsts[number], table.num_rows, cells)

    def _bounds(self, number: int, name: str) -> Bounds:
        column = self._footer.row_group(number).column(self._at[name])
        told = column.statistics
        if told is None:
            return Bounds(None, None, None, column.num_values)
        known = told.has_min_max
        return Bounds(
            told.min if known else None,
            told.max if known else None,
            told.null_count if told.has_null_count else None,
            column.num_values,
        )


def compacted(cells: pa.Array) -> pa.Array:
    """Return coded cells whose dictionary has only what they use."""
    if not pa.types.is_dictionary(cells.type):
        return cells
    used = cells.indices.drop_null().unique()
    codes = pc.index_in(cells.indices, value_set=used)
    return pa.DictionaryArray.from_arrays(codes, cells.dictionary.take(used))


def as_python(cells: pa.Array) -> list[Any]:
    """Return cells as Python values; a word that is there often takes its place once."""
    if not pa.types.is_dictionary(cells.type):
        return list(cells.to_pylist())
    compact = compacted(cells)
    words = compact.dictionary.to_pylist()
    return [None if code is None else words[code] for code in compact.indices.to_pylist()]


def _footer(source: Ranges) -> tuple[int, bytes]:
    """Return the end of the file with all of its footer, and where that begins."""
    start = max(0, source.size - TAIL)
    tail = source.read(start, source.size - start)
    needed = int.from_bytes(tail[-_LENGTH_AND_MAGIC:-4], "little") + _LENGTH_AND_MAGIC
    if tail[-4:] != b"PAR1" or needed > min(source.size, WIDEST):
        raise Unreadable
    if needed > len(tail):
        start = source.size - needed
        tail = source.read(start, needed)
    return start, tail


@contextmanager
def _readable() -> Iterator[None]:
    """Raise Unreadable in place of what Arrow says of broken bytes."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise Unreadable from error
