import pytest

from annotator.consequence import IMPACT, Effect, effects_of, so_term, worst


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("missense", "missense_variant"),
        ("stop_gained", "stop_gained"),
        ("5_prime_utr", "5_prime_UTR_variant"),
        ("3_prime_utr", "3_prime_UTR_variant"),
        ("inframe_altering", "protein_altering_variant"),
        ("splice_region", "splice_region_variant"),
        ("non_coding", "non_coding_transcript_variant"),
        ("coding_sequence", "coding_sequence_variant"),
        ("*missense", "missense_variant"),
        ("a word of tomorrow", "sequence_variant"),
    ],
)
def test_words_of_the_engine_become_ontology_terms(word: str, term: str) -> None:
    assert so_term(word) == term


def test_the_worst_of_several_entries_is_taken_with_its_gene() -> None:
    bcsq = "intron|AAA||protein_coding,missense|BBB|NM_1|protein_coding|+|5A>5V|9C>T"
    gene = ("BBB", "NM_1", "protein_coding", "+")
    found = Effect("missense_variant", "MODERATE", ("missense_variant",), *gene, "5A>5V", "9C>T")
    assert effects_of(bcsq)[1] == worst(effects_of(bcsq)) == found


def test_joined_words_count_by_their_worst() -> None:
    effect = worst(effects_of("splice_region&stop_gained|AAA|NM_1|protein_coding|-|5A>5*|9C>T"))
    assert (effect.consequence, effect.impact) == ("stop_gained", "HIGH")
    assert effect.terms == ("splice_region_variant", "stop_gained")


def test_of_equals_the_first_is_taken() -> None:
    assert worst(effects_of("intron|AAA||x,intron|BBB||x")).gene == "AAA"


def test_a_reference_to_another_record_is_no_consequence() -> None:
    assert worst(effects_of("@107")).consequence == "intergenic_variant"


def test_impacts_are_ensembls() -> None:
    assert IMPACT["inframe_deletion"] == "MODERATE"
    assert IMPACT["coding_sequence_variant"] == "MODIFIER"
