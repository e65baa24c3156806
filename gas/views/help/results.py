"""What stands in the files of a result: columns, fields, and why an allele has none of them.

Which there are, the annotator says; here is what each means.
"""

from dataclasses import dataclass

from annotator import csq_field
from annotator.alleles import Reason
from annotator.table import SCHEMA, SOURCES

#: Columns of the TSV and the Parquet table.
_COLUMNS = {
    "contig": "The contig, named as in your file.",
    "position": "The 1-based position of REF, after alleles were split.",
    "ref": "The bases of the reference there.",
    "alt": "The one allele that the row is about.",
    "id": "ID as it stands in your file.",
    "gene": "The gene that the consequence is in; empty between genes.",
    "transcript": "The transcript that it is in.",
    "biotype": "What kind of transcript that is, such as protein_coding.",
    "strand": "The strand of the gene, + or -.",
    "consequence": "The most severe Sequence Ontology term for that transcript.",
    "impact": "HIGH, MODERATE, LOW or MODIFIER.",
    "amino_acid_change": "Position and amino acids before and after, as 102G>102E.",
    "dna_change": "Position, REF and ALT of what was judged, as 284492G>A.",
    "known_id": "The id by which the source of known variants knows the allele.",
    "clinvar_significance": "What ClinVar says of the allele.",
    "clinvar_review": "How well that was reviewed.",
    "allele_frequency": "How frequent the source found the allele, from 0 to 1.",
    "filter": "FILTER as it stands in your file.",
    "genotypes": "How many samples have which genotype of this allele.",
    "hgvsc": "HGVS name of the change in the transcript (second engine only).",
    "hgvsp": "HGVS name of the change in the protein (second engine only).",
    "existing_variation": "Known variants at the place, from the VEP cache (second engine only).",
}

#: INFO fields of the annotated VCF, apart from the engine's own.
FIELDS = {
    "GAS_CSQ": "The most severe consequence, as a Sequence Ontology term.",
    "GAS_IMPACT": "Its impact: HIGH, MODERATE, LOW or MODIFIER.",
    "GAS_GENE": "The gene it was found in.",
    "GAS_TX": "The transcript it was found in.",
    "GAS_SKIP": "Why the record was left unannotated.",
    "ORIG": "Where several alleles stood in one record: what that record was, and which of them.",
}

#: What each reason of GAS_SKIP means, and what one can do.
_REASONS = {
    Reason.BREAKEND: (
        "ALT is a breakend, one side of a rearrangement, such as G]17:198982].",
        "Use a tool for structural variants.",
    ),
    Reason.SYMBOLIC: (
        "ALT is a name for a large change, such as <DEL>, and not a sequence.",
        "Use a tool for structural variants; a gVCF's blocks <NON_REF> can stay as they are.",
    ),
    Reason.STAR: (
        "ALT is *: a deletion in another record covers the place.",
        "Nothing is lost: the deletion itself is annotated at its own position.",
    ),
    Reason.IUPAC: (
        "REF or ALT holds a code for several bases, such as R or N.",
        "Write the bases that are meant, one allele each.",
    ),
    Reason.CONTIG: (
        "The contig is not in the reference, or the reference has no sequence at that place.",
        "Choose a reference that holds it; the page of a job names the one that was used.",
    ),
    Reason.REF_MISMATCH: (
        "REF is not the sequence of the reference there.",
        "Look at whether the file, or a part of it, is on another assembly.",
    ),
    Reason.MALFORMED: (
        "REF or ALT is not written as VCF wants it, REF and ALT are the same, or POS is 0.",
        "Look at the record in skipped.tsv, and mend it in your file.",
    ),
}

#: ClinVar's classifications, as CLNSIG writes them.
SIGNIFICANCES = {
    "Pathogenic": "Submitters hold that it causes the disease.",
    "Likely_pathogenic": "As above, with at least 90 % certainty.",
    "Uncertain_significance": "There is not enough evidence either way.",
    "Likely_benign": "As below, with at least 90 % certainty.",
    "Benign": "Submitters hold that it does not cause the disease.",
    "Conflicting_classifications_of_pathogenicity": "Submitters disagree; read who said what.",
    "drug_response": "It changes how a drug works.",
    "risk_factor": "It raises the risk of a disease without being its cause.",
    "association": "It was found more often with a trait.",
    "protective": "It lowers the risk of a disease.",
    "Affects": "It causes a trait that is no disease.",
    "other": "Something that no other word here says.",
    "not_provided": "A submission without a classification.",
}

#: ClinVar's review status, as CLNREVSTAT writes it, and its stars.
REVIEWS = {
    "practice_guideline": (4, "It stands in a guideline for practice."),
    "reviewed_by_expert_panel": (3, "A panel of experts reviewed it."),
    "criteria_provided,_multiple_submitters,_no_conflicts": (
        2,
        "Several submitters agree, and say by which criteria.",
    ),
    "criteria_provided,_conflicting_classifications": (
        1,
        "Several submitters disagree, and say by which criteria.",
    ),
    "criteria_provided,_single_submitter": (1, "One submitter says by which criteria."),
    "no_assertion_criteria_provided": (0, "Nobody says by which criteria."),
    "no_classification_provided": (0, "There is no classification."),
}


@dataclass(frozen=True)
class Column:
    """A column of the tables; `field` is the INFO field in which the VCF has the same."""

    name: str
    kind: str
    meaning: str
    field: str = ""


@dataclass(frozen=True)
class Unannotated:
    """A reason of GAS_SKIP: what it means, and what one can do."""

    reason: str
    meaning: str
    advice: str


def columns(*, by_vep: bool) -> list[Column]:
    """Return the columns of the tables in their order, those of the second engine where it runs."""
    names = {field.name: field.type for field in SCHEMA}
    kinds = {name: _KINDS.get(str(kind), "text") for name, kind in names.items()}
    kinds |= dict.fromkeys(csq_field.COLUMNS, "text") if by_vep else {}
    return [
        Column(name, kind, _COLUMNS[name], SOURCES.get(name, "")) for name, kind in kinds.items()
    ]


def unannotated() -> list[Unannotated]:
    """Return every reason for which a record passes without annotation."""
    return [Unannotated(reason.value, *_REASONS[reason]) for reason in Reason]


_KINDS = {"int32": "whole number", "double": "number"}
