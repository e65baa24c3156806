"""The second engine: vepyr, which works as Ensembl VEP does, over an installed VEP cache.

It sees plain sites of ours, never a line of the upload: what it says of them is put on the records
here. It knows the standard genetic code alone, whatever its cache says (vepyr 0.10.0, tried with
the mitochondrion), so where another holds csq answers, in the same field.
"""

import multiprocessing
import os
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

from annotator.bundles import Bundle, Contig, VepCache
from annotator.consequence import effects_of
from annotator.csq_field import COLUMNS, TAG, Layout, allele_names, read_layout
from annotator.engines import InfoField, Unit
from annotator.engines.csq import CsqEngine
from annotator.engines.text import text_of
from annotator.errors import AnnotatorFailed
from annotator.inputs import READ_BYTES, whole_lines
from annotator.sandbox import die_with

# What is kept of some eighty values; all of them would be a kilobyte for each transcript.
LAYOUT = Layout(
    (
        *("Allele", "Consequence", "IMPACT", "SYMBOL", "Gene", "Feature_type", "Feature"),
        *("BIOTYPE", "EXON", "INTRON", "HGVSc", "HGVSp", "cDNA_position", "CDS_position"),
        *("Protein_position", "Amino_acids", "Codons", "Existing_variation", "DISTANCE"),
        *("STRAND", "FLAGS", "CANONICAL", "MANE_SELECT", "SIFT", "PolyPhen"),
    )
)
FIELD = InfoField(TAG, LAYOUT.declaration, LAYOUT.effects_of, COLUMNS)
_DECLARES = re.compile(rb'##INFO=<(?:[^"]*,)?ID=CSQ[,>]')
_FIELD, _BCSQ = b"CSQ=", b"BCSQ="
_SITES = (
    b"##fileformat=VCFv4.2\n##contig=<ID=%s,length=%d>\n"
    b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
)
_BASES = re.compile(rb"[ACGTN]+")
_FORK = multiprocessing.get_context("fork")
_LOG_BYTES = 4096
# The crew is what runs side by side; a pool for each core in each worker would meet the limits.
_THREADS = {"TOKIO_WORKER_THREADS": "2", "RAYON_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
Program = Callable[[list[str]], None]
Site = tuple[bytes, bytes, bytes]  # POS, REF, ALT
Answer = tuple[Site, bytes]  # with the value of CSQ


def vepyr(arguments: list[str]) -> None:
    """Be the program vepyr: the walls let nothing be executed, so it runs in a fork of ours."""
    sys.argv = ["vepyr", *arguments]
    runpy.run_module("vepyr", run_name="__main__", alter_sys=True)


class VepEngine:
    """Runs vepyr over the sites of one contig; contigs without genes only pass through."""

    def __init__(
        self, bundle: Bundle, cache: VepCache, work: Path, program: Program = vepyr
    ) -> None:
        self._bundle, self._cache, self._work, self._program = bundle, cache, work, program
        self._vepyr = _installed(bundle)
        self._csq = CsqEngine(bundle, work)
        self.commands: list[list[str]] = []

    @property
    def name(self) -> str:
        """Name vepyr with its version, the release of Ensembl, and what stands in for it."""
        named = f"vepyr {self._vepyr} (VEP cache {self._cache.version} {self._bundle.assembly})"
        others = {one.genetic_code for one in self._bundle.contigs if not one.is_standard}
        codes = ", ".join(map(str, sorted(others)))
        return f"{named}; genetic code {codes}: {self._csq.name}" if others else named

    @property
    def info_field(self) -> InfoField:
        """Consequences stand in CSQ."""
        return FIELD

    def annotate(self, records: Path, unit: Unit) -> Iterator[bytes]:
        """Yield the unit's records as VCF text; a CSQ that the upload brought is gone."""
        answers = self._answers(records, unit)
        for block in self._text(records):
            lines = (_answered(line, answers) for line in block.split(b"\n")[:-1])
            yield b"".join(line + b"\n" for line in lines if line)
        if next(answers, None):
            raise AnnotatorFailed("vepyr answered for more variants than there are")

    def _text(self, records: Path) -> Iterator[bytes]:
        arguments = ["view", "--no-version", "-Ov", "-o", "-"]
        self.commands.append([*arguments, records.name])
        return text_of([*arguments, str(records)], self._work / "view.log")

    def _answers(self, records: Path, unit: Unit) -> Iterator[Answer]:
        if unit.contig is None or unit.contig.genes is None:
            return self._none(records)
        if not unit.contig.is_standard:
            return self._by_csq(records, unit)
        return self._by_vepyr(records, unit.contig)

    def _none(self, records: Path) -> Iterator[Answer]:
        return ((site, b".") for site in self._sites(records))

    def _by_csq(self, records: Path, unit: Unit) -> Iterator[Answer]:
        for block in self._csq.annotate(records, unit):
            for line in block.split(b"\n")[:-1]:
                if site := _site(line):
                    yield site, _translated(line, site)
        self.commands += self._csq.commands

    def _by_vepyr(self, records: Path, contig: Contig) -> Iterator[Answer]:
        sites, answers = self._work / "sites.vcf", self._work / "answers.vcf"
        if not self._write_sites(records, sites, contig):
            return
        self._run(sites, answers)
        for line in _lines(answers):
            if _DECLARES.match(line) and read_layout(line) != LAYOUT:
                raise AnnotatorFailed("vepyr does not write the CSQ that it was asked for")
            if not line.startswith(b"#"):
                cells = line.split(b"\t")
                yield (cells[1], cells[3], cells[4]), cells[7].removeprefix(_FIELD)

    def _write_sites(self, records: Path, sites: Path, contig: Contig) -> bool:
        """Write what vepyr is to look at; tell whether that is anything."""
        found = self._sites(records)
        if (first := next(found, None)) is None:
            return False
        with sites.open("wb") as file:
            file.write(_SITES % (contig.name.encode(), contig.length))
            for pos, *alleles in chain([first], found):
                row = (contig.name.encode(), pos, b".", *alleles, b".", b".", b".\n")
                file.write(b"\t".join(row))
        return True

    def _sites(self, records: Path) -> Iterator[Site]:
        arguments = ["view", "--no-version", "-G", "-Ov", "-o", "-", str(records)]
        for block in text_of(arguments, self._work / "sites.log"):
            yield from (site for line in block.split(b"\n")[:-1] if (site := _site(line)))

    def _run(self, sites: Path, answers: Path) -> None:
        given = ["--input_file", str(sites), "--output_file", str(answers)]
        given += ["--dir_cache", str(self._cache.folder), "--fasta", str(self._bundle.fasta)]
        asked = ["--cache_version", str(self._cache.version), "--fields", ",".join(LAYOUT.names)]
        arguments = ["annotate", *given, *asked, "--no_progress"]
        bare = [Path(one).name if one.startswith("/") else one for one in arguments]
        self.commands.append(["vepyr", *bare])
        log = self._work / "vepyr.log"
        task = (self._program, arguments, log, os.getpid())
        process = _FORK.Process(target=_in_child, args=task, daemon=True)
        process.start()
        try:
            process.join()
        finally:
            process.kill()
            process.join()
        if process.exitcode:
            said = log.read_bytes()[-_LOG_BYTES:].decode(errors="replace").strip()
            raise AnnotatorFailed(f"vepyr ended with {process.exitcode}: {said}")


def _in_child(program: Program, arguments: list[str], log: Path, parent: int) -> None:
    die_with(parent)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(_THREADS, TMPDIR=str(log.parent))  # the walls let it write nowhere else
    program(arguments)


def _installed(bundle: Bundle) -> str:
    try:
        return version("vepyr")
    except PackageNotFoundError:
        raise AnnotatorFailed(
            f"the bundle {bundle.id} names a VEP cache, and vepyr is not installed:"
            " install requirements-vep.txt, or use a bundle without a cache"
        ) from None


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as text:
        for block in whole_lines(iter(lambda: text.read(READ_BYTES), b"")):
            yield from block.split(b"\n")[:-1]


def _site(line: bytes) -> Site | None:
    """Return what the engine may look at: plain alleles that differ, on a record without a flag."""
    if line.startswith(b"#"):
        return None
    cells = line.split(b"\t", 8)
    ref, alt = cells[3].upper(), cells[4].upper()
    if ref == alt or not (_BASES.fullmatch(ref) and _BASES.fullmatch(alt)) or b"N" in alt:
        return None
    return None if b";GAS_SKIP=" in b";" + cells[7] else (cells[1], ref, alt)


def _answered(line: bytes, answers: Iterator[Answer]) -> bytes:
    """Return a line of the file with the next answer, if it is a site; nothing for an old CSQ."""
    if _DECLARES.match(line):
        return b""
    if line.startswith(b"#"):
        return FIELD.declaration + b"\n" + line if line.startswith(b"#CHROM") else line
    cells = line.split(b"\t", 8)
    info = _without_csq(cells[7]) if b"CSQ" in cells[7] else cells[7]
    if site := _site(line):
        asked, value = next(answers, (None, b""))
        if asked != site:
            raise AnnotatorFailed(f"vepyr answered for another variant than POS {site[0].decode()}")
        if value != b".":
            info = _FIELD + value if info == b"." else info + b";" + _FIELD + value
    cells[7] = info
    return b"\t".join(cells)


def _translated(line: bytes, site: Site) -> bytes:
    """Return what csq found, as CSQ says it."""
    info = line.split(b"\t", 8)[7]
    (bcsq,) = [i for i in info.split(b";") if i.startswith(_BCSQ)] or [b""]
    _, ref, alt = (text.decode() for text in site)
    (allele,) = allele_names(ref, [alt])
    effects = effects_of(bcsq.removeprefix(_BCSQ).decode()) if bcsq else []
    return ",".join(LAYOUT.entry_of(effect, allele) for effect in effects).encode() or b"."


def _without_csq(info: bytes) -> bytes:
    kept = [item for item in info.split(b";") if item.partition(b"=")[0] != b"CSQ"]
    return b";".join(kept) or b"."
