"""VCF text as columns, and back: the work is done by Arrow, not per record in Python."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from annotator.errors import AnnotatorFailed

CONTIG, POS, ID, REF, ALT, QUAL, FILTER, INFO, FORMAT, SAMPLES = range(10)
_BOM = b"\xef\xbb\xbf"
_BARE = pv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False)


# Arrow's own pool keeps what it once had: a third more memory for no less time.
pa.set_memory_pool(pa.system_memory_pool())


class UnequalWidthError(AnnotatorFailed):
    """Some record has more columns than another."""

    def __init__(self) -> None:
        super().__init__("records of unequal width")


def split_lines(text: bytes) -> list[pa.Array]:
    """Return the columns of whole record lines; all samples together are one column."""
    width = text.count(b"\t", 0, text.index(b"\n")) + 1
    if width <= INFO:
        raise UnequalWidthError
    if width > SAMPLES + 1 or b"\r" in text:  # which the reader would take for the end of a line
        return _split_by_pattern(text)
    return read_columns(text, width, range(width))


def read_columns(text: bytes, width: int, wanted: Sequence[int]) -> list[pa.Array]:
    """Return some columns of lines that all have `width` of them and no carriage return."""
    names = [str(at) for at in range(width)]
    chosen = [names[at] for at in wanted]
    whole = pv.ReadOptions(use_threads=False, column_names=names, block_size=len(text) + 2)
    kinds = dict.fromkeys(chosen, pa.binary())
    as_bytes = pv.ConvertOptions(check_utf8=False, column_types=kinds, include_columns=chosen)
    safe = b"\n" + text if text.startswith(_BOM) else text  # the reader would drop the mark
    try:
        table = pv.read_csv(pa.BufferReader(safe), whole, _BARE, as_bytes)
    except pa.ArrowInvalid as error:
        raise UnequalWidthError from error
    (batch,) = table.to_batches()
    columns: list[pa.Array] = batch.columns
    return columns


def together(*columns: pa.Array | pa.Scalar) -> pa.Array:
    """Return the cells of each row, with tabs between them."""
    return pc.binary_join_element_wise(*columns, binary(b"\t"))


def text_of_lines(*columns: pa.Array | pa.Scalar) -> memoryview:
    """Return the text of the columns of lines; the last column holds the newlines, see `ended`."""
    return text_in(together(*columns))


def text_in(column: pa.Array) -> memoryview:
    """Return the bytes of all cells, one behind the other."""
    _, offsets, text = column.buffers()
    bounds = memoryview(offsets).cast("i")[column.offset : column.offset + len(column) + 1]
    return memoryview(text or b"")[bounds[0] : bounds[-1]] if bounds else memoryview(b"")


def ended(column: pa.Array) -> pa.Array:
    """Return the values of a line's last column, each with a newline."""
    return pc.binary_join_element_wise(column, binary(b"\n"), binary(b""))


def marked(column: pa.Array) -> pa.Array:
    """Return each INFO behind a semicolon, so that every field has one before it."""
    return pc.binary_join_element_wise(binary(b""), column, binary(b";"))


def behind(column: pa.Array, mark: str) -> pa.Array:
    """Return of each value what stands behind the last mark; null where there is none."""
    parts = pc.split_pattern(column, pattern=mark, max_splits=1, reverse=True)
    lengths = pc.list_value_length(parts)
    last = pc.subtract(pc.cumulative_sum(lengths), 1)
    return parts.flatten().take(pc.if_else(pc.equal(lengths, 2), last, None))


def before(column: pa.Array, mark: str) -> pa.Array:
    """Return of each value what stands before the first mark; all of it where there is none."""
    return pc.list_element(pc.split_pattern(column, pattern=mark, max_splits=1), 0)


def text_of(column: pa.Array) -> pa.Array:
    """Return bytes as text; what is not UTF-8 is replaced."""
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array(
            [None if v is None else v.decode(errors="replace") for v in column.to_pylist()],
            pa.string(),
        )


def binary(value: bytes) -> pa.Scalar:
    """Return a value that Arrow puts beside a column of bytes."""
    return pa.scalar(value, pa.binary())


def _split_by_pattern(text: bytes) -> list[pa.Array]:
    lines = pa.array(text.split(b"\n")[:-1], pa.binary())
    cells = pc.split_pattern(lines, pattern="\t", max_splits=SAMPLES)
    flat = cells.flatten()
    width = len(flat) // len(lines)
    if pc.list_value_length(cells).unique().to_pylist() != [width]:
        raise UnequalWidthError
    first = pc.cumulative_sum(pa.repeat(pa.scalar(width, pa.int32()), len(lines)), start=-width)
    return [flat.take(pc.add(first, at)) for at in range(width)]
