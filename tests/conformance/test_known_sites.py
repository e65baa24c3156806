"""What dbSNP knows of chromosome 21, found again in every output, however the file writes it.

The figures of single sites were read by eye off the source, dbsnp149.chr21_25-26Mb.vcf.gz.
"""

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotator.bundles import Bundle
from annotator.run import annotate
from tests.conformance.references import CHR21, KNOWN_SITES
from tests.conformance.rows import rows_in

HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
EVERY = 8  # one known site in so many is annotated
ALMOST_ALL = 0.999
SITES: dict[str, tuple[str | None, float | None, str | None]] = {
    "25000001 C T": ("rs574523538", None, None),
    "25000024 G A": (None, None, None),
    "25000025 A C": (None, None, None),  # the source knows G and T here
    "25573930 T A": ("rs757459811", 1.325e-05, None),
    "25880545 A C": ("rs45599935", None, "likely_benign"),
    # The source has CAA -> C, and once more as one of two in CAAG -> CG,C.
    "25881780 CAA C": ("rs112965435", 0.0007737, None),
    "25881780 CAAG C": ("rs753046287", 0.000167, "likely_benign"),
    "25881780 CAAG CG": ("rs112965435", 0.0007737, None),
}
WRITINGS: dict[str, set[str]] = {
    "25000426 TAT T": {"rs983383573"},  # the source has CAT -> C two bases before
    "25004174 CTC CTCC": {"rs34359499"},  # longer than need be
    "25004175 T TC": {"rs34359499"},  # as far to the left as it goes
    "25004176 C CC": {"rs34359499"},  # as the source writes it
    "25276525 ATTA A": {"rs865978296", "rs199650547"},  # one allele, two names
    "25573930 TT AT": {"rs757459811"},  # a substitution in a longer REF
}

pytestmark = pytest.mark.skipif(not CHR21.exists(), reason=f"the data are not at {CHR21}")


def annotated(chr21: Bundle, folder: Path, *sites: str, contig: str = "21") -> Path:
    """Annotate sites written as POS REF ALT."""
    source = folder / "sites.vcf"
    cells = (site.split() for site in sites)
    rows = (f"{contig}\t{pos}\t.\t{ref}\t{alt}\t.\t.\t.\n" for pos, ref, alt in cells)
    source.write_text(HEAD + "".join(rows))
    annotate(source, folder / "out", chr21.folder)
    return folder / "out"


@pytest.mark.parametrize("contig", ["21", "chr21", "NC_000021.9"])
def test_a_site_has_what_the_source_says_in_every_output(
    chr21: Bundle, tmp_path: Path, contig: str
) -> None:
    outdir = annotated(chr21, tmp_path, *SITES, contig=contig)
    for row, (known, frequency, significance) in zip(rows_in(outdir), SITES.values(), strict=True):
        assert row.contig == contig
        assert row.info.get("GAS_KNOWN") == known
        assert row.info.get("GAS_CLNSIG") == significance
        assert as_number(row.info.get("GAS_AF", ".")) == pytest.approx(frequency)
    parquet = {place(row): row for row in pq.read_table(outdir / "annotated.parquet").to_pylist()}
    tsv = {place(row): row for row in table(outdir)}
    for site, (known, frequency, significance) in SITES.items():
        row = parquet[site]
        assert (row["known_id"], row["clinvar_significance"]) == (known, significance)
        assert row["allele_frequency"] == pytest.approx(frequency)
        cells = tsv[site]
        assert (cells["known_id"], cells["clinvar_significance"]) == (
            known or ".",
            significance or ".",
        )
        assert as_number(cells["allele_frequency"]) == pytest.approx(frequency)


def place(row: dict[str, Any]) -> str:
    return f"{row['position']} {row['ref']} {row['alt']}"


def as_number(cell: str) -> float | None:
    return None if cell == "." else float(cell)


def table(outdir: Path) -> Iterator[dict[str, str]]:
    names, *lines = gzip.decompress((outdir / "annotated.tsv.gz").read_bytes()).decode().split("\n")
    for line in lines[:-1]:
        yield dict(zip(names.split("\t"), line.split("\t"), strict=True))


def test_an_allele_is_known_however_it_is_written_and_stays_as_it_was(
    chr21: Bundle, tmp_path: Path
) -> None:
    rows = rows_in(annotated(chr21, tmp_path, *WRITINGS, contig="chr21"))
    assert [f"{row.pos} {row.ref} {row.alt}" for row in rows] == list(WRITINGS)
    for row, known in zip(rows, WRITINGS.values(), strict=True):
        assert row.info["GAS_KNOWN"] in known
        assert "GAS_WAS" not in row.info


def test_each_allele_of_a_record_is_looked_up_by_itself(chr21: Bundle, tmp_path: Path) -> None:
    rows = rows_in(annotated(chr21, tmp_path, "25000424 CAT C,CATAT,TAT", "25000425 A G"))
    assert [row.info.get("GAS_KNOWN") for row in rows] == ["rs983383573", None, None, None]
    counts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (counts["known"], counts["novel"]) == (1, 3)


def test_the_sites_of_the_source_are_found_under_their_own_names(
    chr21: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever dbSNP lists, unsplit and as it writes it; each allele must come back as known."""
    named = defaultdict[tuple[str, str, str], set[str | None]](set)
    text = gzip.decompress(KNOWN_SITES.read_bytes()).decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in lines:
        _, pos, name, ref, alts, *_ = line.split("\t")
        for alt in alts.split(","):
            named[pos, ref, alt].add(name)
    sites = [" ".join(line.split("\t")[at] for at in (1, 3, 4)) for line in lines[::EVERY]]
    rows = rows_in(annotated(chr21, tmp_path, *sites))
    found = [row.info.get("GAS_KNOWN") for row in rows]
    own = sum(
        name in named[row.pos, row.ref, row.alt] for row, name in zip(rows, found, strict=True)
    )
    with capsys.disabled():
        sys.stdout.write(f" {own:,} of {len(rows):,} known alleles have their own name")
    assert None not in found
    assert own > ALMOST_ALL * len(rows)


def test_parquet_has_types_that_need_no_reading_of_text(chr21: Bundle, tmp_path: Path) -> None:
    file = pq.ParquetFile(annotated(chr21, tmp_path, "25573930 T A") / "annotated.parquet")
    types = {field.name: field.type for field in file.schema_arrow}
    assert types["position"] == pa.int32()
    assert types["allele_frequency"] == pa.float64()
    assert {types[name] for name in ("known_id", "clinvar_significance", "clinvar_review")} == {
        pa.string()
    }
