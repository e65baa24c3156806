"""The csq cases of bcftools' own test suite, through our screen, our split and our engine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import pysam.bcftools
import pytest

from annotator.bundles import Bundle
from annotator.columns import ended, text_of_lines
from annotator.engines import Unit
from annotator.engines.csq import CsqEngine
from annotator.engines.text import split_header
from annotator.normalise import Normaliser, Plan
from annotator.records import header_of, read
from annotator.shards import Shard
from annotator.sniff import Format
from annotator.split import split
from tests.conformance.references import DATA, make_bundle
from tests.conformance.rows import rows_of

SUITE = DATA / "suites" / "bcftools_csq"
HAPLOTYPES: tuple[str, ...] = ()  # what csq does when it is told nothing
EACH_ALLELE = ("--local-csq", "--samples", "-")
NAMES = ("1", "chr1", "Chromosome1")


class Case(TypedDict):
    """One entry of cases.json; paths are relative to the suite."""

    name: str
    fasta: str
    gff: str
    vcf: str
    args: list[str]
    expected: str
    format: str


def _cases() -> list[Case]:
    manifest = SUITE / "cases.json"
    cases: list[Case] = json.loads(manifest.read_text())["cases"] if manifest.exists() else []
    return cases


@pytest.mark.skipif(not SUITE.exists(), reason=f"the suite is not at {SUITE}")
def test_the_suite_has_all_its_cases() -> None:
    assert len(_cases()) == 58


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["name"])
def test_a_case_of_the_suite_comes_out_as_its_authors_say(case: Case, tmp_path: Path) -> None:
    source = _without_contigs(SUITE / case["vcf"], tmp_path / "input.vcf")
    bundle = _bundle(case, source, tmp_path)
    calling = EACH_ALLELE if "-l" in case["args"] else HAPLOTYPES
    text = _annotated(source, bundle, tmp_path, calling)
    compare = {"bcsq": _compare_rows, "tbcsq": _compare_samples, "tbcsq_sorted": _compare_samples}
    check: Callable[[Path, Case], None] = compare[case["format"]]
    check(text, case)


def _without_contigs(vcf: Path, copy: Path) -> Path:
    """Drop the contig lines, whose lengths are invented, so that the header repair has work."""
    lines = vcf.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join(line for line in lines if not line.startswith(b"##contig")))
    return copy


def _bundle(case: Case, source: Path, folder: Path) -> Bundle:
    fasta, genes = folder / "genome.fa", folder / "genes.gff3"
    records = (SUITE / case["fasta"]).read_text().split(">")[1:]
    name = records[0].split()[0]
    fasta.write_text("".join(_one_line(record, source, len(records) == 1) for record in records))
    unified = (SUITE / case["gff"]).read_text()
    if case["name"].startswith(("csq.nchr", "csq.ychr", "csq.yychr")):
        unified = "\n".join(name + line[line.index("\t") :] for line in unified.splitlines()) + "\n"
    genes.write_text(unified)
    aliases = NAMES if "unify" in case["name"] else ()
    return make_bundle(folder / "bundle", fasta=fasta, genes=genes, aliases=aliases)


def _one_line(record: str, source: Path, is_only: bool) -> str:
    title, *lines = record.splitlines()
    bases = "".join(lines)
    return f">{title}\n{bases}{_cut_off(source, len(bases)) if is_only else ''}\n"


def _cut_off(source: Path, length: int) -> str:
    """Two cases have a REF that runs over the end of their FASTA: give it the missing bases."""
    for row in rows_of([source.read_bytes()]):
        over = int(row.pos) - 1 + len(row.ref) - length
        if over > 0:
            return row.ref[-over:]
    return ""


def _annotated(source: Path, bundle: Bundle, folder: Path, calling: tuple[str, ...]) -> Path:
    work, text = folder / "work", folder / "annotated.vcf"
    work.mkdir()
    shards: list[Shard] = []
    Normaliser(source, Format.VCF, bundle, work).run(Plan(), shards.append)
    engine = CsqEngine(bundle, work, calling)
    with text.open("wb") as file:
        for shard in shards:
            alleles, records = work / "alleles.vcf", work / "records.vcf"
            split(shard.text, alleles)
            parts = [part.columns for part in read(shard.text, alleles, "BCSQ")]
            lines = (text_of_lines(*columns[:-1], ended(columns[-1])) for columns in parts)
            records.write_bytes(b"".join([b"\n".join(header_of(alleles)) + b"\n", *lines]))
            header, annotated = split_header(
                engine.annotate(records, Unit(shard.names, shard.contig))
            )
            file.writelines(line + b"\n" for line in header if shard.number == 0)
            file.writelines(annotated)
    return text


def _compare_rows(text: Path, case: Case) -> None:
    lines = [line.split("\t") for line in (SUITE / case["expected"]).read_text().splitlines()]
    expected = [line for line in lines if line != [""]][1::2]
    found = [
        [row.pos, row.ref, row.alt, "." if _is_symbolic(row.alt) else row.bcsq]
        for row in rows_of([text.read_bytes()])
    ]
    assert sorted(found) == sorted([*line[:3], _sorted(line)] for line in expected)


def _sorted(line: list[str]) -> str:
    """Our policy flags symbolic alleles instead of annotating them."""
    return "." if _is_symbolic(line[2]) else ",".join(sorted(line[3].split(",")))


def _is_symbolic(alt: str) -> bool:
    return alt.startswith("<")


def _compare_samples(text: Path, case: Case) -> None:
    in_full = case["format"] == "tbcsq"
    wanted = "[%POS\t%REF\t%ALT\t%TBCSQ\n]\n" if in_full else "[%TBCSQ\n]"
    found = text.with_suffix(".txt")
    pysam.bcftools.query("-f", wanted, "-o", str(found), str(text), catch_stdout=False)
    expected = (SUITE / case["expected"]).read_text()
    assert _entries(found.read_text(), in_full) == _entries(expected, in_full)


def _entries(text: str, in_full: bool) -> list[str]:
    if in_full:
        return [line for line in text.splitlines() if line]
    return sorted(
        entry for line in text.splitlines() for entry in line.replace("\t", ",").split(",")
    )
