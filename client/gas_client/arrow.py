"""Variants as Arrow record batches; needs pyarrow."""

import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from gas_client.errors import Refused, TryLater, Unavailable
from gas_client.filters import Wanted, query_of
from gas_client.job import Format, Job
from gas_client.links import Links
from gas_client.wire import Wire

#: Bytes between two columns that are rather fetched than asked around, and bytes of the index at
#: the end that are fetched at once.
GAP, INDEX = 1 << 20, 64 << 10


def batches(
    wire: Wire, job: Job, wanted: Wanted, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows that a filter wants, or all."""
    if query_of(wanted):
        yield from _exported(job, wanted, columns)
    else:
        (file,) = job.chosen(["parquet"])
        far = _Far(wire, job.links(file.kind), file.size)
        with pq.ParquetFile(far) as table:
            yield from _read(table, far, columns)


def _exported(job: Job, wanted: Wanted, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    """Keep what the service sends in a file without a name, since Parquet ends with its index."""
    with tempfile.TemporaryFile() as file:
        with job.export(Format.PARQUET, wanted) as content:
            file.writelines(content)
        file.seek(0)
        yield from pq.ParquetFile(file).iter_batches(columns=columns)


def _read(
    table: pq.ParquetFile, far: "_Far", columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    for number in range(table.num_row_groups):
        group = table.metadata.row_group(number)
        chunks = [group.column(at) for at in range(group.num_columns)]
        far.hold(
            _place_of(one) for one in chunks if columns is None or one.path_in_schema in columns
        )
        yield from table.read_row_group(number, columns, use_threads=False).to_batches()


def _place_of(chunk: pq.ColumnChunkMetaData) -> tuple[int, int]:
    """Return the first byte of a column in a row group, and the byte behind it."""
    start = chunk.data_page_offset
    if chunk.has_dictionary_page:
        start = min(start, chunk.dictionary_page_offset)
    return start, start + chunk.total_compressed_size


class _Far(io.RawIOBase):
    """A file in storage, of which only those bytes are fetched that somebody reads."""

    def __init__(self, wire: Wire, links: Links, size: int) -> None:
        super().__init__()
        self._wire, self._links, self._size = wire, links, size
        self._at, self._etag = 0, ""
        self._held: list[tuple[int, bytes]] = []
        self.hold([(max(0, size - INDEX), size)])

    def hold(self, places: Iterable[tuple[int, int]]) -> None:
        """Fetch what is about to be read, in as few requests as make sense, and forget the rest."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(places):
            if merged and start - merged[-1][1] <= GAP:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        self._held = []
        self._held = [(start, self._fetched(start, end)) for start, end in merged]

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that one can go to any place."""
        return True

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return bytes from here, those that are held if they are."""
        start, end = self._at, self._size if size < 0 else min(self._size, self._at + size)
        self._at = end
        for first, held in self._held:
            if first <= start and end <= first + len(held):
                return held[start - first : end - first]
        return self._fetched(start, end) if start < end else b""

    def _fetched(self, start: int, end: int) -> bytes:
        return self._wire.patiently(lambda: self._fetch(start, end), self._wire.patience.long)

    def _fetch(self, start: int, end: int) -> bytes:
        link = self._links.current()
        headers = {"Range": f"bytes={start}-{end - 1}"}
        try:
            with self._wire.fetch(link, headers) as answer:
                content = b"".join(answer.iter_raw())
        except TryLater:
            self._links.drop(link)
            raise
        etag = answer.headers.get("ETag", "")
        if self._etag not in ("", etag):
            raise Refused("The results were replaced while they were read; please begin again.")
        self._etag = etag
        if len(content) != end - start:
            raise Unavailable("The storage gave other bytes than those asked for.")
        return content
