import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.consequence import IMPACT, INTERGENIC, worst
from annotator.csq_field import Layout, VepEffect, allele_names, read_layout
from annotator.errors import AnnotatorFailed

NAMES = (
    *("Allele", "Consequence", "IMPACT", "SYMBOL", "Gene", "Feature_type", "Feature", "BIOTYPE"),
    *("HGVSc", "HGVSp", "Protein_position", "Amino_acids", "Existing_variation", "STRAND"),
    *("CANONICAL", "MANE_SELECT"),
)
LAYOUT = Layout(NAMES)


def entry(**values: str) -> str:
    """Return one entry; what is not said is empty."""
    given = {"Allele": "T", "Consequence": "intron_variant", "Feature_type": "Transcript"} | values
    return "|".join(given.get(name, "") for name in NAMES)


def only(**values: str) -> VepEffect:
    (effect,) = LAYOUT.effects_of(entry(**values))
    assert isinstance(effect, VepEffect)
    return effect


def test_the_header_tells_the_layout() -> None:
    line = b'##INFO=<ID=CSQ,Number=.,Type=String,Description="By VEP. Format: Allele|Consequence">'
    assert read_layout(line).names == ("Allele", "Consequence")
    assert read_layout(LAYOUT.declaration) == LAYOUT


@pytest.mark.parametrize(
    "line",
    [
        b"##INFO=<ID=CSQ>",
        b'##INFO=<ID=CSQ,Number=.,Type=String,Description="no layout">',
        b'##INFO=<ID=CSQ,Description="Format: Gene|Feature">',
        b'##INFO=<ID=BCSQ,Description="Format: Allele|Consequence">',
    ],
)
def test_a_header_that_tells_no_layout_is_our_error(line: bytes) -> None:
    with pytest.raises(AnnotatorFailed, match="does not tell the format"):
        read_layout(line)


def test_an_entry_becomes_an_effect() -> None:
    told = {"SYMBOL": "AAA", "Gene": "ENSG1", "Feature": "ENST1", "BIOTYPE": "protein_coding"}
    protein = {"Protein_position": "45", "Amino_acids": "R/W", "STRAND": "-1"}
    hgvs = {"HGVSc": "ENST1.2:c.133C>T", "HGVSp": "ENSP1.1:p.Arg45%3D"}
    found = only(
        Consequence="missense_variant&splice_region_variant",
        Existing_variation="rs1&COSV2",
        **told,
        **protein,
        **hgvs,
    )
    assert found == VepEffect(
        "missense_variant",
        "MODERATE",
        ("missense_variant", "splice_region_variant"),
        *("AAA", "ENST1", "protein_coding", "-", "45R>45W", ""),
        hgvsc="ENST1.2:c.133C>T",
        hgvsp="ENSP1.1:p.Arg45=",
        existing_variation="rs1,COSV2",
    )


@pytest.mark.parametrize(
    ("positions", "amino_acids", "change"),
    [
        ("45", "R/W", "45R>45W"),
        ("45", "R", "45R"),
        ("45", "R/*", "45R>45*"),
        ("12-13", "KE/K", "12KE>12K"),
        ("254", "D/DX", "254D>254DX"),
        ("12-13", "-/Q", "12->12Q"),
        ("", "", ""),
        ("45", "", ""),
    ],
)
def test_a_changed_protein_is_written_as_csq_writes_it(
    positions: str, amino_acids: str, change: str
) -> None:
    found = only(Protein_position=positions, Amino_acids=amino_acids)
    assert found.amino_acid_change == change


def test_a_gene_without_a_symbol_goes_by_its_number() -> None:
    assert only(Gene="ENSG1").gene == "ENSG1"
    assert only(Gene="ENSG1", SYMBOL="AAA").gene == "AAA"


def test_a_regulatory_region_is_no_transcript() -> None:
    found = only(
        Consequence="regulatory_region_variant",
        Feature_type="RegulatoryFeature",
        Feature="ENSR1",
        BIOTYPE="enhancer",
    )
    assert (found.transcript, found.gene, found.strand) == ("", "", "")
    assert found.biotype == "enhancer"


def test_a_place_between_genes_is_what_the_other_engine_calls_it() -> None:
    found = only(Consequence="intergenic_variant", IMPACT="MODIFIER", Feature_type="")
    told = {name: getattr(found, name) for name in INTERGENIC.__dataclass_fields__}
    assert told == {name: getattr(INTERGENIC, name) for name in told}


def test_a_term_of_tomorrow_is_a_sequence_variant() -> None:
    assert only(Consequence="of_tomorrow").consequence == "sequence_variant"


def test_of_equals_the_preferred_transcript_is_the_worst() -> None:
    texts = [
        entry(Feature="other", Consequence="stop_gained"),
        entry(Feature="canonical", Consequence="stop_gained", CANONICAL="YES"),
        entry(Feature="mane", Consequence="stop_gained", CANONICAL="YES", MANE_SELECT="NM_1.1"),
        entry(Feature="mane2", Consequence="intron_variant", CANONICAL="YES", MANE_SELECT="NM_2"),
    ]
    effects = LAYOUT.effects_of(",".join(texts))
    assert [effect.transcript for effect in effects] == ["mane", "mane2", "canonical", "other"]
    assert worst(effects).transcript == "mane"
    assert worst(LAYOUT.effects_of(",".join(texts[::3]))).transcript == "other"


@pytest.mark.parametrize(
    ("ref", "alts", "names"),
    [
        ("A", ["T"], ["T"]),
        ("A", ["T", "C"], ["T", "C"]),
        ("TA", ["T"], ["-"]),
        ("T", ["TGCCCA"], ["GCCCA"]),
        ("CAA", ["C", "CA", "CAAA"], ["-", "A", "AAA"]),
        ("CA", ["C", "TA"], ["C", "TA"]),
        ("CA", ["C", "*"], ["-", "*"]),
        ("CA", ["C", "CT"], ["-", "T"]),
        ("CA", ["GT"], ["GT"]),
    ],
)
def test_alleles_have_the_names_that_vep_gives_them(
    ref: str, alts: list[str], names: list[str]
) -> None:
    assert allele_names(ref, alts) == names


def test_each_allele_of_a_record_gets_its_own_entries() -> None:
    value = ",".join(entry(Allele=allele, Feature=allele) for allele in ("-", "A", "-"))
    first, second = allele_names("CAA", ["C", "CA"])
    assert [effect.transcript for effect in LAYOUT.effects_of(value, first)] == ["-", "-"]
    assert [effect.transcript for effect in LAYOUT.effects_of(value, second)] == ["A"]
    assert len(LAYOUT.effects_of(value)) == 3


@given(st.text(st.sampled_from("|&,%/-*ATmissense_variant 12"), max_size=200) | st.text())
def test_garbage_is_an_effect_or_our_error(value: str) -> None:
    try:
        effects = LAYOUT.effects_of(value)
    except AnnotatorFailed:
        return
    for effect in [*effects, worst(effects)]:
        assert IMPACT[effect.consequence] == effect.impact
        assert effect.strand in ("+", "-", "")


@given(st.binary(max_size=200), st.lists(st.text(max_size=9), max_size=9))
def test_a_garbage_header_is_a_layout_or_our_error(line: bytes, values: list[str]) -> None:
    for text in (line, b'##INFO=<ID=CSQ,Description="Format: Allele|Consequence|' + line + b'">'):
        try:
            read_layout(text).effects_of("|".join(values))
        except AnnotatorFailed:
            continue


@given(st.lists(st.sampled_from(sorted(IMPACT)), min_size=1, max_size=5))
def test_joined_terms_count_by_their_worst(terms: list[str]) -> None:
    found = only(Consequence="&".join(terms))
    assert found.terms == tuple(terms)
    assert list(IMPACT).index(found.consequence) == min(map(list(IMPACT).index, terms))
