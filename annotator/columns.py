"""VCF text as columns, and back: the work is done by Arrow, not per record in Python."""

import pyarrow as pa
import pyarrow.compute as pc

from annotator.errors import AnnotatorFailed

CONTIG, POS, ID, REF, ALT, QUAL, FILTER, INFO, SAMPLES = range(9)


def split_lines(text: bytes) -> list[pa.Array]:
    """Return the columns of whole record lines; FORMAT and samples, if any, are one column."""
    lines = pa.array(text.split(b"\n")[:-1], pa.binary())
    cells = pc.split_pattern(lines, pattern="\t", max_splits=SAMPLES)
    flat = cells.flatten()
    width = len(flat) // len(lines)
    if width < SAMPLES or pc.list_value_length(cells).unique().to_pylist() != [width]:
        raise AnnotatorFailed("the engine wrote records of unequal width")
    first = pc.cumulative_sum(pa.repeat(pa.scalar(width, pa.int32()), len(lines)), start=-width)
    return [flat.take(pc.add(first, at)) for at in range(width)]


def join_lines(columns: list[pa.Array]) -> bytes:
    """Return the columns as lines of tab-separated text; what is null becomes a dot."""
    if not len(columns[0]):
        return b""
    lines = pc.binary_join_element_wise(
        *columns, _binary(b"\t"), null_handling="replace", null_replacement="."
    )
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return bytes(pc.binary_join(whole, _binary(b"\n"))[0].as_buffer()) + b"\n"


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


def _binary(value: bytes) -> pa.Scalar:
    return pa.scalar(value, pa.binary())
