"""All 49,704 substitutions of the mitochondrion, against the genetic code and MITOMAP's table."""

import gzip
import re
import sys
from collections.abc import Iterator

import pytest

from annotator.bundles import DEMO
from annotator.run import annotate
from tests.conformance.references import DATA
from tests.conformance.rows import Row, rows_in, rows_of

EVERY_SUBSTITUTION = DATA / "mt" / "all_snv.vcf.gz"
MITOMAP = DATA / "mt" / "mitomap_variants_coding.vcf.gz"
STOP_LOST_BY_CODE_2 = 56
MITOMAP_ENTRIES, ALTERNATIVE_STARTS = 11179, 6
_CHANGE = re.compile(r"([A-Z*]|Term|TERM)-([A-Z*]|Term|TERM)")

pytestmark = pytest.mark.skipif(
    not EVERY_SUBSTITUTION.exists(), reason=f"the variants are not at {EVERY_SUBSTITUTION}"
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    outdir = tmp_path_factory.mktemp("mt") / "out"
    annotate(EVERY_SUBSTITUTION, outdir, DEMO)
    return rows_in(outdir)


def test_every_substitution_comes_out_once(rows: list[Row]) -> None:
    assert len({(row.pos, row.alt) for row in rows}) == len(rows) == 49704


def test_the_mitochondrial_code_is_used(rows: list[Row]) -> None:
    lost = sum(entry.startswith("stop_lost") for row in rows for entry in row.bcsq.split(","))
    assert lost == STOP_LOST_BY_CODE_2


@pytest.mark.skipif(not MITOMAP.exists(), reason=f"the table is not at {MITOMAP}")
def test_amino_acids_agree_with_mitomap_but_for_alternative_starts(
    rows: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every substitution that MITOMAP lists in one gene, its stops written Term, TERM or *.

    The six that differ change a start codon: translation begins with methionine there, whatever
    the codon, and MITOMAP names the amino acid that the code has for it.
    """
    ours = {
        (row.pos, row.alt, fields[1]): _amino_acids(fields[5])
        for row in rows
        for fields in (entry.split("|") for entry in row.bcsq.split(","))
        if len(fields) > 5
    }
    compared = [(key, wanted) for key, wanted in _mitomap() if key in ours]
    different = {key for key, wanted in compared if ours[key] != wanted}
    with capsys.disabled():
        agreed = len(compared) - len(different)
        sys.stdout.write(f" {agreed:,} of {len(compared):,} amino acids agree with MITOMAP")
    assert len(compared) == MITOMAP_ENTRIES
    assert len(different) == ALTERNATIVE_STARTS
    assert all(_is_start_codon(rows, *key) for key in different)


def _mitomap() -> Iterator[tuple[tuple[str, str, str], tuple[str, str]]]:
    with gzip.open(MITOMAP) as file:
        for row in rows_of(iter(file)):
            change = _CHANGE.fullmatch(row.info["AminoAcidChange"])
            if change and len(row.ref) == len(row.alt) == 1:
                before, after = (letter if len(letter) == 1 else "*" for letter in change.groups())
                yield (row.pos, row.alt, row.info["Locus"]), (before, after)


def _amino_acids(change: str) -> tuple[str, str]:
    letters = re.findall(r"[A-Z*]", change)
    return letters[0], letters[-1]


def _is_start_codon(rows: list[Row], pos: str, alt: str, gene: str) -> bool:
    row = next(row for row in rows if (row.pos, row.alt) == (pos, alt))
    return any(f"|{gene}|" in entry and "start_" in entry for entry in row.bcsq.split(","))
