import pytest

from annotator.alleles import Reason, unsafe_alt, unsafe_record


@pytest.mark.parametrize("alt", [b"A", b"acgt", b"ACGTACGT"])
def test_plain_bases_may_be_annotated(alt: bytes) -> None:
    assert unsafe_alt(alt) is None


@pytest.mark.parametrize(
    ("alt", "reason"),
    [
        (b"*", Reason.STAR),
        (b"<DEL>", Reason.SYMBOLIC),
        (b"<NON_REF>", Reason.SYMBOLIC),
        (b"<*>", Reason.SYMBOLIC),
        (b"<INS:ME:ALU>", Reason.SYMBOLIC),
        (b"G]17:198982]", Reason.BREAKEND),
        (b"]13:123456]T", Reason.BREAKEND),
        (b"C[<ctg1>:7[", Reason.BREAKEND),
        (b".A", Reason.BREAKEND),
        (b"A.", Reason.BREAKEND),
        (b"R", Reason.IUPAC),
        (b"ACN", Reason.IUPAC),
        (b"", Reason.MALFORMED),
        (b"A-", Reason.MALFORMED),
        (b"<DEL", Reason.MALFORMED),
        (b"hello world", Reason.MALFORMED),
    ],
)
def test_what_the_engine_would_misread_has_a_reason(alt: bytes, reason: Reason) -> None:
    assert unsafe_alt(alt) is reason


def test_a_record_with_one_plain_allele_may_be_split() -> None:
    assert unsafe_record(b"A", b"C,<DEL>,*") is None


def test_a_record_without_a_plain_allele_has_the_first_ones_reason() -> None:
    assert unsafe_record(b"A", b"*,<DEL>") is Reason.STAR


def test_a_record_without_any_alternative_is_fine() -> None:
    assert unsafe_record(b"A", b".") is None


@pytest.mark.parametrize(
    ("ref", "reason"), [(b"R", Reason.IUPAC), (b".", Reason.MALFORMED), (b"", Reason.MALFORMED)]
)
def test_a_strange_ref_flags_the_record(ref: bytes, reason: Reason) -> None:
    assert unsafe_record(ref, b"A") is reason
