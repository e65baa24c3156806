"""What each consequence and each impact means; which there are, the annotator says."""

from dataclasses import dataclass

from annotator.consequence import CSQ_TERMS, IMPACT

#: Accession in the Sequence Ontology, and what the term says of an allele, in one sentence.
_MEANINGS = {
    "transcript_ablation": (
        "SO:0001893",
        "A deletion takes the whole transcript away.",
    ),
    "splice_acceptor_variant": (
        "SO:0001574",
        "One of the last two bases of an intron changes, where the next exon is joined on.",
    ),
    "splice_donor_variant": (
        "SO:0001575",
        "One of the first two bases of an intron changes, where the exon before it is cut off.",
    ),
    "stop_gained": (
        "SO:0001587",
        "A codon for an amino acid becomes a stop codon, so that the protein ends early.",
    ),
    "frameshift_variant": (
        "SO:0001589",
        (
            "Bases are inserted or deleted, not a multiple of three, so that every codon behind is"
            " read differently."
        ),
    ),
    "stop_lost": (
        "SO:0001578",
        "The stop codon becomes one for an amino acid, so that the protein goes on for longer.",
    ),
    "start_lost": (
        "SO:0002012",
        "The start codon is no longer one, so that the protein begins elsewhere or not at all.",
    ),
    "transcript_amplification": (
        "SO:0001889",
        "A duplication gives more copies of the whole transcript.",
    ),
    "feature_elongation": (
        "SO:0001907",
        "The transcript becomes longer, as by a large insertion or duplication in it.",
    ),
    "feature_truncation": (
        "SO:0001906",
        "The transcript becomes shorter, as by a large deletion of a part of it.",
    ),
    "inframe_insertion": (
        "SO:0001821",
        "Amino acids are added, and the codons behind them are read as before.",
    ),
    "inframe_deletion": (
        "SO:0001822",
        "Amino acids are left out, and the codons behind them are read as before.",
    ),
    "missense_variant": (
        "SO:0001583",
        "One amino acid becomes another; the protein keeps its length.",
    ),
    "protein_altering_variant": (
        "SO:0001818",
        (
            "The protein changes in a way that no other term here says, as by an insertion and a"
            " deletion in one."
        ),
    ),
    "splice_donor_5th_base_variant": (
        "SO:0001787",
        "The fifth base of an intron changes, which helps to find where it is cut.",
    ),
    "splice_region_variant": (
        "SO:0001630",
        (
            "A base near a splice site changes: within three bases of the exon, or the third to the"
            " eighth of the intron."
        ),
    ),
    "splice_donor_region_variant": (
        "SO:0002170",
        "One of the third to sixth bases of an intron changes.",
    ),
    "splice_polypyrimidine_tract_variant": (
        "SO:0002169",
        "A base changes in the stretch before an intron's end that binds the splicing machinery.",
    ),
    "incomplete_terminal_codon_variant": (
        "SO:0001626",
        "The last codon of a transcript changes that is annotated without its end.",
    ),
    "start_retained_variant": (
        "SO:0002019",
        "A base of the start codon changes, and it is still a start codon.",
    ),
    "stop_retained_variant": (
        "SO:0001567",
        "A base of the stop codon changes, and it is still a stop codon.",
    ),
    "synonymous_variant": (
        "SO:0001819",
        "The codon changes and the amino acid does not.",
    ),
    "coding_sequence_variant": (
        "SO:0001580",
        "The coding sequence changes, but what that does to the protein cannot be told.",
    ),
    "mature_miRNA_variant": (
        "SO:0001620",
        "A base of a finished microRNA changes.",
    ),
    "5_prime_UTR_variant": (
        "SO:0001623",
        "The transcript changes before its start codon, where no protein is made from it.",
    ),
    "3_prime_UTR_variant": (
        "SO:0001624",
        "The transcript changes behind its stop codon, where no protein is made from it.",
    ),
    "non_coding_transcript_exon_variant": (
        "SO:0001792",
        "An exon changes of a transcript from which no protein is made.",
    ),
    "intron_variant": (
        "SO:0001627",
        "An intron changes, away from its splice sites.",
    ),
    "NMD_transcript_variant": (
        "SO:0001621",
        "The transcript that changes is one that cells usually break down at once.",
    ),
    "non_coding_transcript_variant": (
        "SO:0001619",
        "A gene changes from which no protein is made.",
    ),
    "coding_transcript_variant": (
        "SO:0001968",
        "A transcript changes from which protein is made; where in it is not told.",
    ),
    "upstream_gene_variant": (
        "SO:0001631",
        "The allele lies before the beginning of a gene, within the distance that VEP looks at.",
    ),
    "downstream_gene_variant": (
        "SO:0001632",
        "The allele lies behind the end of a gene, within the distance that VEP looks at.",
    ),
    "TFBS_ablation": (
        "SO:0001895",
        "A deletion takes away a site where a transcription factor binds.",
    ),
    "TFBS_amplification": (
        "SO:0001892",
        "A duplication gives more copies of a site where a transcription factor binds.",
    ),
    "TF_binding_site_variant": (
        "SO:0001782",
        "A base changes of a site where a transcription factor binds.",
    ),
    "regulatory_region_ablation": (
        "SO:0001894",
        "A deletion takes away a region that regulates genes.",
    ),
    "regulatory_region_amplification": (
        "SO:0001891",
        "A duplication gives more copies of a region that regulates genes.",
    ),
    "regulatory_region_variant": (
        "SO:0001566",
        "A base changes of a region that regulates genes.",
    ),
    "intergenic_variant": (
        "SO:0001628",
        "The allele lies outside every gene of the reference.",
    ),
    "sequence_variant": (
        "SO:0001060",
        "The sequence changes; the engine said something that no other term here says.",
    ),
}

#: What each impact means, the most severe first.
IMPACTS = {
    "HIGH": "The protein is probably cut short, lost, or no longer made.",
    "MODERATE": "The protein changes, and may work differently.",
    "LOW": "The protein is most likely the same.",
    "MODIFIER": "Outside the coding sequence, or in a gene without a protein: hard to tell.",
}


@dataclass(frozen=True)
class Term:
    """A consequence; `by_csq` tells whether the default engine ever gives it."""

    name: str
    impact: str
    accession: str
    meaning: str
    by_csq: bool


def terms() -> list[Term]:
    """Return every consequence that an engine can give, the most severe first."""
    return [
        Term(name, impact, *_MEANINGS[name], by_csq=name in CSQ_TERMS)
        for name, impact in IMPACT.items()
    ]
