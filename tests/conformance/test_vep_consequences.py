"""Consequences that the Ensembl VEP team wrote down for chromosome 21, from a whole run of ours.

It is all that is known of VEP's verdicts there: the other files on chromosome 21 name no
consequences, and VEP's own output at hand is of chromosome 1, whose genes are not.
"""

import json
import sys
from pathlib import Path
from typing import TypedDict

import pytest

from annotator.consequence import so_term
from annotator.run import annotate
from tests.conformance.references import DATA, make_bundle
from tests.conformance.rows import Row, rows_in

SUITE = DATA / "suites" / "vep_t"
CHR21 = DATA / "chr21"
ENTRIES_EXPECTED = 16

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason=f"the suite is not at {SUITE}")


class Case(TypedDict):
    """One variant with the term of each transcript."""

    pos: int
    ref: str
    alt: str
    tx: dict[str, tuple[str, str | None]]


def test_every_consequence_agrees_with_the_vep_team(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases: list[Case] = json.loads((SUITE / "expected.json").read_text())["cases"]
    bundle = make_bundle(
        tmp_path / "bundle",
        fasta=CHR21 / "GRCh38.chr21.slice.fa.gz",
        genes=CHR21 / "Ensembl84.chr21.gff3.gz",
        assembly="GRCh38",
    )
    annotate(_vcf(cases, tmp_path / "cases.vcf"), tmp_path / "out", bundle.folder)
    found = {
        (int(row.pos), row.ref, row.alt, transcript): term
        for row in rows_in(tmp_path / "out")
        for transcript, term in _terms(row).items()
    }
    expected = {
        (case["pos"], case["ref"], case["alt"], transcript): term
        for case in cases
        for transcript, (term, _) in case["tx"].items()
    }
    agreed = sum(found.get(key) == term for key, term in expected.items())
    with capsys.disabled():
        sys.stdout.write(f" {agreed} of {len(expected)} consequences agree with the VEP team")
    assert {key: found.get(key) for key in expected} == expected
    assert len(expected) == ENTRIES_EXPECTED


def _vcf(cases: list[Case], path: Path) -> Path:
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    rows = sorted((case["pos"], case["ref"], case["alt"]) for case in cases)
    path.write_text(head + "".join(f"21\t{p}\t.\t{r}\t{a}\t.\t.\t.\n" for p, r, a in rows))
    return path


def _terms(row: Row) -> dict[str, str]:
    entries = (entry.split("|") for entry in row.bcsq.split(","))
    return {entry[2]: so_term(entry[0]) for entry in entries if len(entry) > 2}
