"""Results: variants in pages, and what was counted."""

from typing import Any

from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field

from gas.api.schemas.base import shown

_VARIANT = {
    "row": 17,
    "contig": "chr16",
    "position": 284492,
    "ref": "G",
    "alt": "A",
    "id": None,
    "gene": "PDIA2",
    "consequence": "missense_variant",
    "impact": "MODERATE",
    "amino_acid_change": "102G>102E",
    "known_id": "rs1",
    "clinvar_significance": "Likely_benign",
    "allele_frequency": 0.01,
    "filter": "PASS",
    "genotypes": "0/1",
}


class Variant(Schema):
    """One allele by its most severe row that meets the filter."""

    model_config = shown(**_VARIANT)

    row: int = Field(description="Number of that row in the Parquet table, from 0.")
    contig: str
    position: int
    ref: str
    alt: str
    id: str | None = None
    gene: str | None = None
    consequence: str | None = Field(None, description="Sequence Ontology term.")
    impact: str | None = None
    amino_acid_change: str | None = None
    known_id: str | None = None
    clinvar_significance: str | None = None
    allele_frequency: float | None = None
    filter: str | None = None
    genotypes: str | None = None


class Count(Schema):
    """How many there are in all."""

    model_config = shown(variants=812, rows=2411, exact=True)

    variants: int
    rows: int = Field(description="Rows of the table: one for each allele and transcript.")
    exact: bool = Field(description="False when time ran out: then there are more.")


class VariantPage(Schema):
    """Some of the variants that meet the filter, in the order asked for."""

    model_config = shown(
        items=[_VARIANT],
        next_cursor=None,
        count={"variants": 812, "rows": 2411, "exact": True},
        filter="gene is PDIA2",
    )

    items: list[Variant]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page, if any.")
    count: Count
    filter: str = Field(description="The filter in words; nothing when all are asked for.")


class Transcripts(Schema):
    """Every row of one variant, 500 at most, with all columns of the table."""

    model_config = shown(items=[{**_VARIANT, "transcript": "NM_006849"}])

    items: list[dict[str, Any]]


class Summary(BaseModel):
    """What the annotator counted, as it wrote it down (summary.json); keys are only ever added."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "records_in": 1204,
                    "alleles": 1251,
                    "annotated": 1240,
                    "flagged": {"symbolic": 11},
                    "impacts": {"HIGH": 3, "MODERATE": 101, "LOW": 98, "MODIFIER": 1038},
                }
            ]
        },
    )

    records_in: int = Field(description="Records of the input.")


class Provenance(BaseModel):
    """How the results were made, with hashes and perhaps a signature (provenance.json)."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "annotator": {"version": "0.1.0"},
                    "bundle": {"id": "demo-grch38", "assembly": "GRCh38"},
                    "input": {"format": "VCF", "sha256": "9f86d081884c7d65"},
                }
            ]
        },
    )
