"""The reader of CSQ against what Ensembl VEP 115.2 wrote of 100 variants of chromosome 1.

The figures were counted in that file with grep, cut, sort and uniq.
"""

import gzip
from collections import Counter

import pytest

from annotator.consequence import IMPACT
from annotator.csq_field import Layout, VepEffect, allele_names, read_layout
from tests.conformance.references import DATA

GOLDEN = DATA / "suites" / "vep115_golden_chr1" / "golden.vcf.gz"
TERMS = {
    "non_coding_transcript_variant": 5931,
    "intron_variant": 5931,
    "upstream_gene_variant": 1387,
    "downstream_gene_variant": 790,
    "non_coding_transcript_exon_variant": 322,
    "regulatory_region_variant": 18,
    "splice_region_variant": 1,
    "splice_polypyrimidine_tract_variant": 1,
}
BIOTYPES = {
    "lncRNA": 8379,
    "transcribed_unprocessed_pseudogene": 31,
    "enhancer": 10,
    "promoter": 8,
    "unprocessed_pseudogene": 7,
    "transcribed_processed_pseudogene": 7,
    "retained_intron": 5,
    "miRNA": 1,
}
pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason=f"the output of VEP is not at {GOLDEN}")


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return gzip.decompress(GOLDEN.read_bytes()).decode().splitlines()


@pytest.fixture(scope="module")
def layout(lines: list[str]) -> Layout:
    (declared,) = [line for line in lines if line.startswith("##INFO=<ID=CSQ,")]
    return read_layout(declared.encode())


@pytest.fixture(scope="module")
def records(lines: list[str]) -> list[list[str]]:
    return [line.split("\t") for line in lines if not line.startswith("#")]


def csq(record: list[str]) -> str:
    return record[7].split("CSQ=")[1].split(";")[0]


@pytest.fixture(scope="module")
def effects(records: list[list[str]], layout: Layout) -> list[VepEffect]:
    every = [effect for record in records for effect in layout.effects_of(csq(record))]
    return [effect for effect in every if isinstance(effect, VepEffect)]


def test_every_entry_of_every_record_is_read(
    records: list[list[str]], effects: list[VepEffect]
) -> None:
    assert len(records) == 100
    assert len(effects) == 8448
    assert Counter(term for effect in effects for term in effect.terms) == TERMS


def test_what_is_read_is_what_was_counted(effects: list[VepEffect]) -> None:
    assert Counter(effect.strand for effect in effects) == {"+": 4567, "-": 3863, "": 18}
    assert Counter(effect.biotype for effect in effects) == BIOTYPES
    assert sum(bool(effect.transcript) for effect in effects) == 8430
    assert sum(bool(effect.hgvsc) for effect in effects) == 6253
    assert sum(bool(effect.gene) for effect in effects) == 8430


def test_impacts_are_those_that_vep_gives(records: list[list[str]], layout: Layout) -> None:
    """IMPACT stands in the file too; ours is worked out from the terms."""
    place = layout.names.index("IMPACT"), layout.names.index("Consequence")
    for record in records:
        for entry in csq(record).split(","):
            impact, terms = (entry.split("|")[at] for at in place)
            (effect,) = layout.effects_of(entry)
            assert effect.impact == impact
            assert effect.terms == tuple(terms.split("&"))
            assert set(effect.terms) <= set(IMPACT)


def test_every_entry_is_of_an_allele_by_the_name_we_expect(
    records: list[list[str]], layout: Layout
) -> None:
    assert sum(len(record[3]) != len(record[4]) for record in records) == 9
    for record in records:
        (name,) = allele_names(record[3], record[4].split(","))
        assert len(layout.effects_of(csq(record), name)) == len(csq(record).split(","))
        assert layout.effects_of(csq(record), name + "A") == []


def test_canonical_transcripts_come_first(records: list[list[str]], layout: Layout) -> None:
    at = layout.names.index("CANONICAL"), layout.names.index("Feature")
    canonical = {
        entry.split("|")[at[1]]
        for record in records
        for entry in csq(record).split(",")
        if entry.split("|")[at[0]] == "YES"
    }
    for record in records:
        marks = [one.transcript in canonical for one in layout.effects_of(csq(record))]
        assert marks == sorted(marks, reverse=True)
