"""The table: one row per allele and consequence, for TSV and for Parquet.

In the TSV a cell of the input that a spreadsheet would take for a formula (it starts with = + - @)
or for an open quotation gets an apostrophe before it, and control characters become question
marks. The Parquet file holds the same cells as they came.
"""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from annotator.columns import (
    ALT,
    CONTIG,
    FILTER,
    ID,
    INFO,
    POS,
    REF,
    SAMPLES,
    before,
    behind,
    join_lines,
    text_of,
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
SCHEMA = pa.schema(
    [
        ("contig", pa.string()),
        ("position", pa.int32()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("id", pa.string()),
        *((name, pa.string()) for name in (*EFFECT, *CHANGES)),
        ("known_id", pa.string()),
        ("clinvar_significance", pa.string()),
        ("clinvar_review", pa.string()),
        ("allele_frequency", pa.float64()),
        ("filter", pa.string()),
        ("genotypes", pa.string()),
    ]
)
HOSTILE = ("id", "filter", "genotypes")
_ARMED = '^[=+@"-]|[\\x00-\\x1f]'


def rows_of(
    columns: list[pa.Array],
    numbers: pa.Array,
    effects: Sequence[tuple[Effect, ...]],
    told: Sequence[str],
) -> pa.RecordBatch:
    """Return the rows of records whose effects are `effects[number]`.

    `told` names the columns of SOURCES of which any record says something.
    """
    record, effect = _places(numbers, [len(several) for several in effects])
    columns = columns if record is None else [column.take(record) for column in columns]
    flat = [one for several in effects for one in several]
    changes = {
        name: pa.array([getattr(one, name) or None for one in flat], pa.string()).take(effect)
        for name in (*EFFECT, *CHANGES)
    }
    cells = {**_fixed(columns), **changes, **_from_sources(columns[INFO], told)}
    cells["genotypes"] = (
        _genotypes(columns[SAMPLES]) if columns[SAMPLES:] else pa.nulls(len(effect), pa.string())
    )
    return pa.RecordBatch.from_arrays([cells[name] for name in SCHEMA.names], schema=SCHEMA)


def tsv(rows: pa.RecordBatch) -> bytes:
    """Return rows as lines of tab-separated text; a dot for what is not known."""
    cells = dict(zip(SCHEMA.names, rows.columns, strict=True))
    texts = [
        (unarmed(cell) if name in HOSTILE else cell).cast(pa.string()).cast(pa.binary())
        for name, cell in cells.items()
    ]
    return join_lines(texts)


def tsv_header() -> bytes:
    """Return the first line of the TSV."""
    return "\t".join(SCHEMA.names).encode() + b"\n"


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


def _fixed(columns: list[pa.Array]) -> dict[str, pa.Array]:
    return {
        "contig": text_of(columns[CONTIG]),
        "position": columns[POS].cast(pa.string()).cast(pa.int32()),
        "ref": text_of(columns[REF]),
        "alt": text_of(columns[ALT]),
        "id": _or_null(text_of(columns[ID])),
        "filter": _or_null(text_of(columns[FILTER])),
    }


def _or_null(cells: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(cells, "."), None, cells)


def _from_sources(info: pa.Array, told: Sequence[str]) -> dict[str, pa.Array]:
    cells = {name: pa.nulls(len(info), SCHEMA.field(name).type) for name in SOURCES}
    if told:
        semicolon = pa.scalar(b";", pa.binary())
        marked = pc.binary_join_element_wise(pa.scalar(b"", pa.binary()), info, semicolon)
        for name in told:
            value = before(behind(marked, f";{SOURCES[name]}="), ";")
            cells[name] = _or_null(text_of(value)).cast(cells[name].type)
    return cells


def _genotypes(samples: pa.Array) -> pa.Array:
    """Return the genotype of one sample, or of many how often each occurs: 0/0=97,0/1=3."""
    if pc.any(pc.match_substring_regex(samples, pattern="\t.*\t")).as_py():
        return pa.array([_tally(cell) for cell in samples.to_pylist()], pa.string())
    has_genotype = pc.match_substring_regex(samples, pattern="^GT[:\t]")
    only = text_of(before(pc.list_element(pc.split_pattern(samples, pattern="\t"), 1), ":"))
    return pc.if_else(has_genotype, _or_null(only), None)


def _tally(samples: bytes) -> str | None:
    shape, *cells = samples.split(b"\t")
    if shape.partition(b":")[0] != b"GT":
        return None
    found = Counter([cell.partition(b":")[0] for cell in cells])
    return ",".join(f"{gt.decode(errors='replace')}={n}" for gt, n in found.most_common())
