"""What fetched files become: a BGZF sequence, genes by contig, sources with our names, indexed."""

import gzip
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

import pysam
from pysam.utils import SamtoolsError

from annotator.bgzf import BgzfWriter
from annotator.bundles import PLAIN_NAME
from annotator.bundles_manifest import ContigPlan, SourcePlan
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.header import Header, read_header
from annotator.inputs import Input
from annotator.sniff import GZIP_MAGIC, START_BYTES, Format, sniff
from annotator.stages import Stage, StageFailedError

READ_BYTES = 1 << 20
COMPRESSION = 3
MOVES = "10000"  # bases that an allele may move in a repeat
FROM_HEADER = "header:"  # a release that the file itself tells
_GENES_HEADER = b"##gff-version 3\n"
_NOT_GENES = b"biological_region"  # half of Ensembl's lines; the engine has no use for them


class Names:
    """Every name of a contig -> its name in the bundle."""

    def __init__(self, plans: Mapping[str, ContigPlan]) -> None:
        self._names = {alias: name for name, plan in plans.items() for alias in plan.aliases}
        self._names |= {name: name for name in plans}

    def get(self, name: str) -> str | None:
        """Return the bundle's name, or None for what is not in the bundle."""
        return self._names.get(name)

    def table(self) -> str:
        """Return what `bcftools annotate --rename-chrs` reads."""
        return "".join(f"{a}\t{b}\n" for a, b in self._names.items() if a != b)


def prepare_fasta(source: Path, target: Path) -> dict[str, int]:
    """Write the sequence as BGZF with its indexes and return the length of each contig."""
    with _text(source) as text, BgzfWriter(target, COMPRESSION) as file:
        block = text.read(READ_BYTES)
        if not block.startswith(b">"):
            raise AnnotatorFailed(f"{source.name} is not a FASTA file")
        while block:
            file.write(block)
            block = text.read(READ_BYTES)
    try:
        pysam.faidx(str(target))
    except SamtoolsError as error:
        raise AnnotatorFailed(f"{source.name} cannot be indexed: {error}") from error
    with pysam.FastaFile(str(target)) as fasta:
        return dict(zip(fasta.references, fasta.lengths, strict=True))


def prepare_genes(source: Path, folder: Path, names: Names) -> set[str]:
    """Write the genes of each contig to a file of its own and return the contigs that have any."""
    folder.mkdir()
    files: dict[str, IO[bytes]] = {}
    with _text(source) as text, ExitStack() as opened:
        for line in text:
            columns = line.split(b"\t", 3)
            name = names.get(columns[0].decode(errors="replace")) if len(columns) > 3 else None
            if name is None or line.startswith(b"#") or columns[2] == _NOT_GENES:
                continue
            if name not in files:
                files[name] = opened.enter_context(_genes_file(folder, name))
            files[name].write(name.encode() + line[len(columns[0]) :])
    if not files:
        raise AnnotatorFailed(f"{source.name} holds no genes of any contig of the sequence")
    return set(files)


def prepare_source(
    source: SourcePlan, files: list[Path], target: Path, names: Names, genome: Path
) -> str:
    """Write one indexed VCF: our contig names, one allele a record, only the columns asked for.

    Alleles are trimmed and moved to the left on the sequence in `genome`; what lies on no contig
    of it is left out. Returns the release, which may stand in the header of the first file.
    """
    target.parent.mkdir(exist_ok=True)
    kept = sorted({column for column in source.columns.values() if column != "ID"})
    release = _release(source, [_header(file, kept) for file in files])
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        table = Path(work, "names")
        table.write_text(names.table())
        Path(work, "contigs.bed").write_text(_whole_contigs(genome))
        parts = (
            [target] if len(files) == 1 else [Path(work, f"{n}.vcf.gz") for n in range(len(files))]
        )
        for file, part in zip(files, parts, strict=True):
            _slim(file, part, kept, table, genome)
        if len(parts) > 1:
            _finish([Stage(["concat", *_indexed(target), *map(str, parts)], log=table)])
    with pysam.TabixFile(str(target)) as index:
        if not index.contigs:
            raise AnnotatorFailed(f"{source.name} holds no variants on any contig of the sequence")
    return release


def _genes_file(folder: Path, name: str) -> IO[bytes]:
    if not PLAIN_NAME.fullmatch(name):
        raise AnnotatorFailed(f"contig {name!r} cannot be the name of a file")
    file = (folder / f"{name}.gff3").open("wb")
    file.write(_GENES_HEADER)
    return file


@contextmanager
def _text(source: Path) -> Iterator[IO[bytes]]:
    """Open a file that may be compressed; what is wrong with it becomes our failure."""
    with source.open("rb") as start:
        packed = start.read(2) == GZIP_MAGIC
    try:
        with source.open("rb") as raw:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise AnnotatorFailed(f"{source.name} is damaged: {error}") from error


def _header(file: Path, kept: list[str]) -> Header:
    """Nothing reaches htslib that does not start as a VCF; its header must know the columns."""
    try:
        with file.open("rb") as start:
            kind = sniff(start.read(START_BYTES))
        if kind is Format.BCF:
            raise AnnotatorFailed(f"{file.name} is a BCF; a source is a VCF")
        header, _ = read_header(Input(file, kind).lines())
    except InputRefused as refusal:
        raise AnnotatorFailed(f"{file.name}: {refusal}") from refusal
    for column in kept:
        if (b"INFO", column.removeprefix("INFO/").encode()) not in header.declared:
            raise AnnotatorFailed(f"{file.name} has no {column}")
    return header


def _release(source: SourcePlan, headers: list[Header]) -> str:
    if not source.release.startswith(FROM_HEADER):
        return source.release
    mark = f"##{source.release.removeprefix(FROM_HEADER)}=".encode()
    for line in headers[0].meta:
        if line.startswith(mark):
            return line.removeprefix(mark).decode(errors="replace")
    raise AnnotatorFailed(f"the header of {source.name} does not say {mark.decode()}")


def _whole_contigs(genome: Path) -> str:
    """Return every contig of an indexed FASTA as a BED line."""
    index = genome.with_name(genome.name + ".fai").read_text()
    rows = (row.split("\t") for row in index.splitlines())
    return "".join(f"{row[0]}\t0\t{row[1]}\n" for row in rows)


def _slim(file: Path, target: Path, kept: list[str], table: Path, genome: Path) -> None:
    drop = "^" + ",".join(kept) if kept else "INFO"
    rename = ["annotate", "--rename-chrs", str(table), "-x", drop]
    reader, writer = os.pipe()
    work = table.parent
    placed = ["-f", str(genome), "-c", "w", "-w", MOVES, "-T", str(work / "contigs.bed")]
    stages = [
        Stage(
            [*rename, "--no-version", "-Ov", "-o", "-", str(file)],
            log=work / "rename.log",
            stdout=writer,
            foreign=(reader,),
        ),
        Stage(
            ["norm", "--multiallelics", "-any", *placed, *_indexed(target), "-"],
            log=work / "norm.log",
            stdin=reader,
        ),
    ]
    _finish(stages)


def _indexed(target: Path) -> list[str]:
    return ["--no-version", "-Oz", "--write-index=tbi", "-o", str(target)]


def _finish(stages: list[Stage]) -> None:
    try:
        for stage in stages:
            stage.wait()
    except StageFailedError as failure:
        raise AnnotatorFailed(str(failure)) from failure
    finally:
        for stage in stages:
            stage.stop()
