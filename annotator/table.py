"""The table: one row per allele and consequence, for TSV and for Parquet.

In the TSV a cell of the input that a spreadsheet would take for a formula (it starts with = + - @)
or for an open quotation gets an apostrophe before it, and control characters become question
marks. The Parquet file holds the same cells as they came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from annotator.columns import (
    ALT,
    CONTIG,
    FILTER,
    ID,
    POS,
    REF,
    before,
    behind,
    binary,
    ended,
    text_of,
    text_of_lines,
    together,
)
from annotator.consequence import Effect

EFFECT = ("gene", "transcript", "biotype", "strand", "consequence", "impact")
CHANGES = ("amino_acid_change", "dna_change")
SOURCES = {  # column: the INFO field in which a source leaves it
    "known_id": "GAS_KNOWN",
    "clinvar_significance": "GAS_CLNSIG",
    "clinvar_review": "GAS_CLNREVSTAT",
    "allele_frequency": "GAS_AF",
}
_CODED = pa.dictionary(pa.int32(), pa.string())  # in memory; plain strings to who reads the file
SCHEMA = pa.schema(
    [
        ("contig", _CODED),
        ("position", pa.int32()),
        ("ref", _CODED),
        ("alt", _CODED),
        ("id", pa.string()),
        *((name, _CODED) for name in (*EFFECT, *CHANGES)),
        ("known_id", pa.string()),
        ("clinvar_significance", _CODED),
        ("clinvar_review", _CODED),
        ("allele_frequency", pa.float64()),
        ("filter", _CODED),
        ("genotypes", _CODED),
    ]
)
_ARMED = '^[=+@"-]|[\\x00-\\x1f]'


@dataclass(frozen=True)
class Rows:
    """The same rows for Parquet and as the lines of the TSV."""

    batch: pa.RecordBatch
    tsv: memoryview


def schema(extra: tuple[str, ...]) -> pa.Schema:
    """Return the table's columns; `extra` are those that only one engine has, and come last."""
    return pa.schema([*SCHEMA, *((name, _CODED) for name in extra)])


def rows_of(
    columns: list[pa.Array],
    numbers: pa.Array,
    effects: Sequence[tuple[Effect, ...]],
    told: Mapping[str, pa.Array],
    extra: tuple[str, ...],
) -> Rows:
    """Return the rows of records whose effects are `effects[number]`.

    `told` are the genotypes and what `said_by_sources` found; `extra` are the columns that only
    this engine has.
    """
    record, effect = _places(numbers, [len(several) for several in effects])
    told = {**_fixed(columns), **told}
    flat = [one for several in effects for one in several]
    change = {name: [getattr(one, name) for one in flat] for name in (*EFFECT, *CHANGES, *extra)}
    batch = _batch(schema(extra), told, change, record, effect)
    return Rows(batch, _tsv(columns, told, change, record, effect))


def said_by_sources(ours: pa.Array, marked: pa.Array) -> dict[str, pa.Array]:
    """Return the columns of SOURCES, as far as there is anything in them.

    `ours` is true for the records that have a field of ours; `marked` are the INFO columns of
    those, each behind a semicolon.
    """
    columns = {}
    for name, tag in SOURCES.items():
        value = before(behind(marked, f";{tag}="), ";")
        if value.null_count < len(value):
            kind = pa.float64() if name == "allele_frequency" else pa.string()
            cells = _or_null(text_of(value)).cast(kind)
            columns[name] = pc.replace_with_mask(pa.nulls(len(ours), kind), ours, cells)
    return columns


def tsv_header(extra: tuple[str, ...]) -> bytes:
    """Return the first line of the TSV."""
    return "\t".join(schema(extra).names).encode() + b"\n"


def unarmed(cells: pa.Array) -> pa.Array:
    """Return cells that no spreadsheet takes for a formula."""
    if not pc.any(pc.match_substring_regex(cells.unique(), pattern=_ARMED)).as_py():
        return cells
    tame = pc.replace_substring_regex(cells, pattern="[\\x00-\\x1f]", replacement="?")
    return pc.replace_substring_regex(tame, pattern='^([=+@"-])', replacement="'\\1")


def _places(numbers: pa.Array, lengths: list[int]) -> tuple[pa.Array | None, pa.Array]:
    """Return for each row which record and which effect it shows; None when it is one for one."""
    if set(lengths) == {1}:
        return None, numbers
    offsets = [0]
    for length in lengths:
        offsets.append(offsets[-1] + length)
    every = pa.array(range(offsets[-1]), pa.int32())
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), every).take(numbers)
    return pc.list_parent_indices(lists), lists.flatten()


def _batch(
    columns: pa.Schema,
    told: Mapping[str, pa.Array],
    change: Mapping[str, list[str]],
    record: pa.Array | None,
    effect: pa.Array,
) -> pa.RecordBatch:
    cells = []
    for column in columns:
        if column.name in change:
            values = [value or None for value in change[column.name]]
            cell = pa.array(values, pa.string()).dictionary_encode().take(effect)
        elif column.name in told:
            cell = told[column.name]
            cell = cell.dictionary_encode() if column.type == _CODED else cell
            cell = cell if record is None else cell.take(record)
        else:
            cell = pa.nulls(len(effect), column.type)
        cells.append(cell)
    return pa.RecordBatch.from_arrays(cells, schema=columns)


def _tsv(
    columns: list[pa.Array],
    told: Mapping[str, pa.Array],
    change: Mapping[str, list[str]],
    record: pa.Array | None,
    effect: pa.Array,
) -> memoryview:
    """Join what is the same for all rows of a record, and of an effect, before it is repeated."""
    place = together(*(columns[at] for at in (CONTIG, POS, REF, ALT)), _shown(told["id"]))
    rest = (_shown(told[name]) if name in told else binary(b".") for name in SOURCES)
    context = together(*rest, _shown(told["filter"]), _shown(told["genotypes"]))
    if record is not None:
        place, context = place.take(record), context.take(record)
    own = len(EFFECT) + len(CHANGES)
    texts = [[value or "." for value in values] for values in zip(*change.values(), strict=True)]
    lines = [place, _repeated([cells[:own] for cells in texts], effect), context]
    if len(change) > own:
        lines.append(_repeated([cells[own:] for cells in texts], effect))
    return text_of_lines(*lines[:-1], ended(lines[-1]))


def _repeated(cells: list[list[str]], effect: pa.Array) -> pa.Array:
    return pa.array(["\t".join(row).encode() for row in cells], pa.binary()).take(effect)


def _fixed(columns: list[pa.Array]) -> dict[str, pa.Array]:
    return {
        "contig": text_of(columns[CONTIG]),
        "position": columns[POS].cast(pa.string()).cast(pa.int32()),
        "ref": text_of(columns[REF]),
        "alt": text_of(columns[ALT]),
        "id": _or_null(text_of(columns[ID])),
        "filter": _or_null(text_of(columns[FILTER])),
    }


def _shown(cells: pa.Array) -> pa.Array:
    """Return cells as the TSV holds them."""
    if cells.null_count == len(cells):
        return pa.repeat(binary(b"."), len(cells))
    texts = unarmed(cells) if pa.types.is_string(cells.type) else cells.cast(pa.string())
    return texts.cast(pa.binary()).fill_null(b".")


def _or_null(cells: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(cells, "."), None, cells)
