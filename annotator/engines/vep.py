"""The second engine: vepyr, which works as Ensembl VEP does, over an installed VEP cache.

It sees plain sites of ours, never a line of the upload: what it says of them is put on the records
here.
"""

import multiprocessing
import os
import re
import runpy
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from annotator.bundles import Bundle, Contig, VepCache
from annotator.csq_field import COLUMNS, TAG, Layout, read_layout
from annotator.engines import InfoField, Unit
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
_FIELD = b"CSQ="
_SITES = (
    b"##fileformat=VCFv4.2\n##contig=<ID=%s,length=%d>\n"
    b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
)
_BASES = re.compile(rb"[ACGTN]+")
_FORK = multiprocessing.get_context("fork")
_LOG_BYTES = 4096
Site = tuple[bytes, bytes, bytes]  # POS, REF, ALT
Answer = tuple[Site, bytes]  # with the value of CSQ


class VepEngine:
    """Runs vepyr over the sites of one contig; contigs without genes only pass through."""

    def __init__(self, bundle: Bundle, cache: VepCache, work: Path) -> None:
        self._bundle, self._cache, self._work = bundle, cache, work
        self._vepyr = _installed(bundle)
        self.commands: list[list[str]] = []

    @property
    def name(self) -> str:
        """Name vepyr with its version, and the release of Ensembl that its cache is."""
        return f"vepyr {self._vepyr} (VEP cache {self._cache.version} {self._bundle.assembly})"

    @property
    def info_field(self) -> InfoField:
        """Consequences stand in CSQ."""
        return FIELD

    def annotate(self, records: Path, unit: Unit) -> Iterator[bytes]:
        """Yield the unit's records as VCF text; a CSQ that the upload brought is gone."""
        answers = self._answers(records, unit.contig) if unit.contig else iter(())
        for block in self._text(records):
            lines = (_answered(line, answers) for line in block.split(b"\n")[:-1])
            yield b"".join(line + b"\n" for line in lines if line)
        if next(answers, None):
            raise AnnotatorFailed("vepyr answered for more variants than there are")

    def _text(self, records: Path) -> Iterator[bytes]:
        arguments = ["view", "--no-version", "-Ov", "-o", "-"]
        self.commands.append([*arguments, records.name])
        return text_of([*arguments, str(records)], self._work / "view.log")

    def _answers(self, records: Path, contig: Contig) -> Iterator[Answer]:
        sites, answers = self._work / "sites.vcf", self._work / "answers.vcf"
        if contig.genes is None or not self._write_sites(records, sites, contig):
            return
        self._run(sites, answers)
        for line in _lines(answers):
            if _DECLARES.match(line) and read_layout(line) != LAYOUT:
                raise AnnotatorFailed("vepyr does not write the CSQ that it was asked for")
            if not line.startswith(b"#"):
                cells = line.split(b"\t")
                yield (cells[1], cells[3], cells[4]), cells[7].removeprefix(_FIELD)

    def _write_sites(self, records: Path, sites: Path, contig: Contig) -> int:
        """Write what vepyr is to look at; return how many sites that is."""
        written = 0
        arguments = ["view", "--no-version", "-G", "-Ov", "-o", "-", str(records)]
        with sites.open("wb") as file:
            file.write(_SITES % (contig.name.encode(), contig.length))
            for block in text_of(arguments, self._work / "sites.log"):
                found = [site for line in block.split(b"\n")[:-1] if (site := _site(line))]
                written += len(found)
                for site in found:
                    row = (contig.name.encode(), site[0], b".", *site[1:], b".", b".", b".\n")
                    file.write(b"\t".join(row))
        return written

    def _run(self, sites: Path, answers: Path) -> None:
        given = ["--input_file", str(sites), "--output_file", str(answers)]
        given += ["--dir_cache", str(self._cache.folder), "--fasta", str(self._bundle.fasta)]
        asked = ["--cache_version", str(self._cache.version), "--fields", ",".join(LAYOUT.names)]
        arguments = ["annotate", *given, *asked, "--no_progress"]
        bare = [Path(one).name if one.startswith("/") else one for one in arguments]
        self.commands.append(["vepyr", *bare])
        log = self._work / "vepyr.log"
        process = _FORK.Process(target=_vepyr, args=(arguments, log, os.getpid()), daemon=True)
        process.start()
        try:
            process.join()
        finally:
            process.kill()
            process.join()
        if process.exitcode:
            said = log.read_bytes()[-_LOG_BYTES:].decode(errors="replace").strip()
            raise AnnotatorFailed(f"vepyr ended with {process.exitcode}: {said}")


def _vepyr(arguments: list[str], log: Path, parent: int) -> None:
    die_with(parent)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["vepyr", *arguments]
    runpy.run_module("vepyr", run_name="__main__", alter_sys=True)


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


def _without_csq(info: bytes) -> bytes:
    kept = [item for item in info.split(b";") if item.partition(b"=")[0] != b"CSQ"]
    return b";".join(kept) or b"."
