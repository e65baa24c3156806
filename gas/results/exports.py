"""The wanted rows as a file, piece by piece: TSV as the annotator writes it, or Parquet."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from annotator.columns import binary, ended, text_of_lines
from annotator.outputs import ROW_GROUP
from annotator.table import SOURCES, unarmed
from gas.results.filters import Filter
from gas.results.table import Deadline, Table, as_python, compacted

#: Bytes of cells that are made into lines at a time, and rows at most.
SLICE_BYTES, SLICE_ROWS = 4 << 20, 20_000
#: Bytes of columns that are held until they make a row group.
HELD_BYTES = 16 << 20

#: Columns with words of the input; the TSV disarms these, as the annotator's does.
FROM_OUTSIDE = frozenset({"id", "filter", "genotypes", *SOURCES})

Columns = dict[str, pa.Array]


def tsv(table: Table, wanted: Filter, until: Deadline) -> Iterator[memoryview | bytes]:
    """Yield a header and the wanted rows, each line as in the full TSV."""
    names = table.schema.names
    yield "\t".join(names).encode() + b"\n"
    for columns in _wanted(table, wanted, until):
        ready = {name: _disarmed(name, cells) for name, cells in columns.items()}
        rows = len(ready[names[0]])
        step = max(1, min(SLICE_ROWS, SLICE_BYTES // max(1, _widest(ready))))
        for start in range(0, rows, step):
            lines = [_as_text(ready[name][start : start + step]) for name in names]
            yield text_of_lines(*lines[:-1], ended(lines[-1]))


def parquet(table: Table, wanted: Filter, until: Deadline) -> Iterator[bytes]:
    """Yield a Parquet file of the wanted rows; a row group has 100,000 rows or 16 MiB of them."""
    sink, held, rows, size = _Sink(), list[pa.Table](), 0, 0
    coded = pa.schema([(column.name, _coded(column.type)) for column in table.schema])
    # Without our schema in it, so that coded columns are read as plain strings.
    with pq.ParquetWriter(sink, coded, compression="zstd", store_schema=False) as writer:
        for columns in _wanted(table, wanted, until):
            piece = pa.table({name: compacted(cells) for name, cells in columns.items()})
            held.append(piece)
            rows, size = rows + len(piece), size + piece.nbytes
            if rows >= ROW_GROUP or size >= HELD_BYTES:
                _write(writer, held)
                held, rows, size = [], 0, 0
                yield sink.taken()
        if held:
            _write(writer, held)
    yield sink.taken()


def places(table: Table, wanted: Filter, until: Deadline) -> Iterator[tuple[str, int, str, str]]:
    """Yield contig, position, ref and alt of the wanted rows, in their order."""
    key = ("contig", "position", "ref", "alt")
    for group in table.read(table.groups_where(wanted.may_hold), {*key, *wanted.columns}, until):
        chosen = pc.indices_nonzero(wanted.holds(group))
        for start in range(0, len(chosen), SLICE_ROWS):
            part = chosen[start : start + SLICE_ROWS]
            cells = [group.cells[name].take(part) for name in key]
            yield from zip(*map(as_python, cells), strict=True)


def _wanted(table: Table, wanted: Filter, until: Deadline) -> Iterator[Columns]:
    """Yield the wanted rows of each row group that has any."""
    for group in table.read(table.groups_where(wanted.may_hold), table.schema.names, until):
        chosen = pc.indices_nonzero(wanted.holds(group))
        if len(chosen):
            yield {name: cells.take(chosen) for name, cells in group.cells.items()}


@dataclass
class _Sink:
    """Takes what Arrow writes, to be given on."""

    held: bytearray = field(default_factory=bytearray)
    place: int = 0
    closed: bool = False

    def write(self, content: bytes) -> int:
        self.held += content
        self.place += len(content)
        return len(content)

    def tell(self) -> int:
        return self.place

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        """Give what was written since the last time."""
        content, self.held = bytes(self.held), bytearray()
        return content


def _write(writer: pq.ParquetWriter, held: list[pa.Table]) -> None:
    whole = pa.concat_tables(held).unify_dictionaries()
    writer.write_table(whole, row_group_size=ROW_GROUP)


def _coded(kind: pa.DataType) -> pa.DataType:
    return pa.dictionary(pa.int32(), kind) if pa.types.is_string(kind) else kind


def _disarmed(name: str, cells: pa.Array) -> pa.Array:
    if name not in FROM_OUTSIDE or not pa.types.is_dictionary(cells.type):
        return cells
    compact = compacted(cells)
    return pa.DictionaryArray.from_arrays(compact.indices, unarmed(compact.dictionary))


def _widest(columns: Columns) -> int:
    """Return how many bytes a line has at most."""
    longest = 0
    for cells in columns.values():
        if pa.types.is_dictionary(cells.type):
            longest += pc.max(pc.binary_length(cells.dictionary)).as_py() or 1
        else:
            longest += 24  # a number in digits
    return longest


def _as_text(cells: pa.Array) -> pa.Array:
    """Return cells as the TSV holds them."""
    if pa.types.is_dictionary(cells.type):
        return cells.dictionary.cast(pa.binary()).take(cells.indices).fill_null(b".")
    return cells.cast(pa.string()).cast(pa.binary()).fill_null(binary(b"."))
