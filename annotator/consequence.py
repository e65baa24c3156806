"""What an engine finds, and what csq's BCSQ means: Sequence Ontology terms, rank and impact.

Rank and impact: Ensembl's published table (Bio::EnsEMBL::Variation::Utils::Constants). BCSQ format:
https://samtools.github.io/bcftools/howtos/csq-calling.html
"""

from dataclasses import dataclass
from functools import lru_cache

WORDS_REMEMBERED = 1024
_RANKED = """
HIGH transcript_ablation splice_acceptor_variant splice_donor_variant stop_gained
HIGH frameshift_variant stop_lost start_lost transcript_amplification feature_elongation
HIGH feature_truncation
MODERATE inframe_insertion inframe_deletion missense_variant protein_altering_variant
LOW splice_donor_5th_base_variant splice_region_variant splice_donor_region_variant
LOW splice_polypyrimidine_tract_variant incomplete_terminal_codon_variant start_retained_variant
LOW stop_retained_variant synonymous_variant
MODIFIER coding_sequence_variant mature_miRNA_variant 5_prime_UTR_variant 3_prime_UTR_variant
MODIFIER non_coding_transcript_exon_variant intron_variant NMD_transcript_variant
MODIFIER non_coding_transcript_variant coding_transcript_variant upstream_gene_variant
MODIFIER downstream_gene_variant
MODERATE TFBS_ablation
MODIFIER TFBS_amplification TF_binding_site_variant regulatory_region_ablation
MODIFIER regulatory_region_amplification regulatory_region_variant intergenic_variant
MODIFIER sequence_variant
"""
_LINES = [line.split() for line in _RANKED.split("\n") if line]
IMPACT = {term: impact for impact, *terms in _LINES for term in terms}
RANK = {term: rank for rank, term in enumerate(IMPACT)}  # the lower, the worse
_CSQ_WORDS = """
synonymous missense stop_lost stop_gained inframe_deletion inframe_insertion frameshift
splice_acceptor splice_donor start_lost splice_region stop_retained 5_prime_utr 3_prime_utr
non_coding intron intergenic inframe_altering coding_sequence feature_elongation feature_truncation
start_retained
"""
_SO_TERM = {
    "5_prime_utr": "5_prime_UTR_variant",
    "3_prime_utr": "3_prime_UTR_variant",
    "inframe_altering": "protein_altering_variant",
    "non_coding": "non_coding_transcript_variant",
}


@dataclass(frozen=True)
class Effect:
    """One consequence of one allele; what is not known, or between genes, is empty.

    `terms` are all the terms that the engine gave it, `consequence` the worst of them.
    """

    consequence: str
    impact: str
    terms: tuple[str, ...] = ()
    gene: str = ""
    transcript: str = ""
    biotype: str = ""
    strand: str = ""
    amino_acid_change: str = ""
    dna_change: str = ""


INTERGENIC = Effect("intergenic_variant", "MODIFIER", ("intergenic_variant",))


def effects_of(bcsq: str) -> list[Effect]:
    """Return BCSQ's comma-separated entries in their order."""
    return [_effect(entry) for entry in bcsq.split(",") if not entry.startswith("@")]


def worst(effects: list[Effect]) -> Effect:
    """Return the worst; of equals the first."""
    return min(effects, key=lambda effect: RANK[effect.consequence], default=INTERGENIC)


def so_term(word: str) -> str:
    """Translate one of the engine's words to the Sequence Ontology."""
    word = word.lstrip("*")  # downstream of a stop
    term = _SO_TERM.get(word, word)
    if term in RANK:
        return term
    return f"{term}_variant" if f"{term}_variant" in RANK else "sequence_variant"


def _effect(entry: str) -> Effect:
    words, *rest = entry.split("|")
    terms, consequence = _terms(words)
    return Effect(consequence, IMPACT[consequence], terms, *rest[:6])


@lru_cache(WORDS_REMEMBERED)
def _terms(words: str) -> tuple[tuple[str, ...], str]:
    """Return the terms of words between ampersands, and the worst of them."""
    terms = tuple(map(so_term, words.split("&")))
    return terms, min(terms, key=RANK.__getitem__)


#: The terms that stand for a word of csq's, and for one that is new.
CSQ_TERMS = frozenset(map(so_term, [*_CSQ_WORDS.split(), "a new word"]))
