"""Which alleles the engine may see. Grammar: VCF 4.4, sections 1.6.1 and 5.4."""

import enum
import re

PLAIN_ALTS = re.compile(rb"[ACGTacgt]+(?:,[ACGTacgt]+)*")
PLAIN_REF = re.compile(rb"[ACGTNacgtn]+")
NO_ALT = b"."
_IUPAC = re.compile(rb"[ACGTRYSWKMBDHVN]+", re.IGNORECASE)
_SYMBOLIC = re.compile(rb"<[^<>]+>")
_BREAKEND = re.compile(rb"[^\[\]]*[\[\]].+[\[\]][^\[\]]*|\.[A-Za-z]+|[A-Za-z]+\.")


class Reason(enum.StrEnum):
    """Why a record or allele passes without annotation."""

    BREAKEND = "breakend"
    SYMBOLIC = "symbolic"
    STAR = "star"
    IUPAC = "iupac"
    CONTIG = "contig"  # not in the reference, or a stretch the reference does not hold
    REF_MISMATCH = "ref_mismatch"
    MALFORMED = "malformed"


def unsafe_alt(alt: bytes) -> Reason | None:
    """Say why the engine may not see one ALT allele; None when it may."""
    if PLAIN_ALTS.fullmatch(alt) and b"," not in alt:
        return None
    for pattern, reason in (
        (_SYMBOLIC, Reason.SYMBOLIC),
        (_BREAKEND, Reason.BREAKEND),
        (_IUPAC, Reason.IUPAC),
    ):
        if pattern.fullmatch(alt):
            return reason
    return Reason.STAR if alt == b"*" else Reason.MALFORMED


def unsafe_record(ref: bytes, alts: bytes) -> Reason | None:
    """Say why no allele of a record may be annotated; None when at least one may."""
    if not PLAIN_REF.fullmatch(ref):
        return Reason.IUPAC if _IUPAC.fullmatch(ref) else Reason.MALFORMED
    if alts == NO_ALT:
        return None
    reasons = [unsafe_alt(alt) for alt in alts.split(b",")]
    return None if None in reasons else reasons[0]
