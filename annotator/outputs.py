"""The files of results: each worker writes its part, and the parts are joined in their order."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pysam

from annotator.bgzf import BgzfWriter
from annotator.blame import UnreadableError
from annotator.engines import InfoField
from annotator.flatten import Flat
from annotator.table import schema, tsv_header
from annotator.tbi import Places, write_index

ANNOTATED = "annotated.vcf.gz"
TSV = "annotated.tsv.gz"
PARQUET = "annotated.parquet"
SKIPPED = "skipped.tsv"
ROWS = "rows.arrows"  # between a worker and the one that writes the Parquet file
COMPRESSION = 2
ROW_GROUP = 100_000  # rows; a range request reads one group's columns, a few hundred KB
_SKIPPED_HEADER = b"contig\tposition\tid\tref\talt\treason\n"
_TEXT = b'##INFO=<ID=%s,Number=%s,Type=String,Description="%s">'
_FLAT_FIELDS = (
    _TEXT % (b"GAS_CSQ", b"1", b"Worst consequence, Sequence Ontology term"),
    _TEXT % (b"GAS_IMPACT", b"1", b"HIGH, MODERATE, LOW or MODIFIER"),
    _TEXT % (b"GAS_GENE", b"1", b"Gene of the worst consequence"),
    _TEXT % (b"GAS_TX", b"1", b"Transcript of the worst consequence"),
)


def write_part(folder: Path, blocks: Iterable[Flat], extra: tuple[str, ...]) -> list[int]:
    """Write one shard's part of every file and return the sizes of the VCF's blocks in bytes.

    `extra` are the engine's own columns.
    """
    with ExitStack() as files:
        vcf = files.enter_context(BgzfWriter(folder / ANNOTATED, COMPRESSION, whole=False))
        table = files.enter_context(BgzfWriter(folder / TSV, COMPRESSION, whole=False))
        skipped = files.enter_context((folder / SKIPPED).open("wb"))
        rows = files.enter_context(pa.ipc.new_stream(str(folder / ROWS), schema(extra)))
        for block in blocks:
            vcf.write(block.vcf)
            table.write(block.rows.tsv)
            skipped.write(block.skipped)
            rows.write_batch(block.rows.batch)
    return vcf.sizes


class ParquetFile:
    """Takes the rows of the parts in their order; the whole is written in groups of equal size."""

    def __init__(self, path: Path, extra: tuple[str, ...]) -> None:
        columns = schema(extra)
        self._writer = pq.ParquetWriter(
            path,
            columns,
            compression="zstd",
            compression_level=1,
            write_page_index=True,
            store_schema=False,  # so that coded columns are read as plain strings
            use_dictionary=[column.name for column in columns if column.name != "position"],
            column_encoding={"position": "DELTA_BINARY_PACKED"},
        )
        self._held: list[pa.RecordBatch] = []
        self._rows = self.written = 0

    def take(self, part: Path) -> None:
        """Add the rows of a part, and delete them there."""
        with pa.OSFile(str(part / ROWS)) as file, pa.ipc.open_stream(file) as batches:
            for batch in batches:
                self._held.append(batch)
                self._rows += len(batch)
                self.written += len(batch)
                while self._rows >= ROW_GROUP:
                    self._write_group()
        (part / ROWS).unlink()
        pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Write what is held, and the end of the file."""
        if self._rows:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._held).unify_dictionaries()
        self._writer.write_table(table[:ROW_GROUP], row_group_size=ROW_GROUP)
        self._held = table[ROW_GROUP:].to_batches()
        self._rows = max(0, self._rows - ROW_GROUP)


def join(
    parts: list[Path],
    results: Path,
    vcf_header: bytes,
    extra: tuple[str, ...],
    places: list[tuple[Places, list[int]]],
) -> None:
    """Join the parts to whole files, and index the VCF by the places and block sizes of each."""
    with (results / SKIPPED).open("wb") as file:
        file.write(_SKIPPED_HEADER)
        for part in parts:
            file.write((part / SKIPPED).read_bytes())
    _join(parts, results / TSV, tsv_header(extra))
    begin = _join(parts, results / ANNOTATED, vcf_header)
    if all(known.usable for known, _ in places):
        write_index(places, begin, results / f"{ANNOTATED}.tbi")
        return
    before = pysam.set_verbosity(0)  # it would tell the user to look at flagged records
    try:
        pysam.tabix_index(str(results / ANNOTATED), preset="vcf", force=True)
    except OSError as error:
        raise UnreadableError(str(error)) from error
    finally:
        pysam.set_verbosity(before)


def _join(parts: list[Path], target: Path, header: bytes) -> int:
    """Write a file and return how many bytes its header takes."""
    with BgzfWriter(target, COMPRESSION) as whole:
        whole.write(header)
        whole.flush()
        for part in parts:
            whole.append(part / target.name)
    return sum(whole.sizes)


def final_header(
    engine_headers: list[tuple[bytes, ...]], contigs: Iterable[bytes], engine: InfoField
) -> bytes:
    """Return the engine's header with only the contigs named, and the flat fields added."""
    engine_header = max(engine_headers, key=len)  # where no gene is, its field is not declared
    kept = {b"##contig=<ID=" + name for name in contigs}
    meta = [
        line
        for line in engine_header[:-1]
        if not line.startswith(b"##contig=") or line.rstrip(b">").split(b",")[0] in kept
    ]
    if not any(line.startswith(b"##INFO=<ID=%s," % engine.tag.encode()) for line in meta):
        meta.append(engine.declaration)
    return b"\n".join([*meta, *_FLAT_FIELDS, engine_header[-1]]) + b"\n"
